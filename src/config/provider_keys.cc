// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/provider_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "config/address.h"
#include "config/base_url_advice.h"
#include "config/ca_file.h"
#include "config/expand.h"
#include "config/header_names.h"
#include "config/name_rules.h"
#include "config/policy_keys.h"

namespace fuseboard::config {
namespace {

constexpr std::array<std::string_view, 12> kProviderKeys = {"dialect",   "base_url", "api_key", "auth",
                                                            "cap_field", "headers",  "query",   "forward_headers",
                                                            "tls",       "breaker",  "limits",  "timeouts"};

constexpr std::array kAuths = {Auth::bearer, Auth::x_api_key, Auth::api_key, Auth::passthrough, Auth::none};
constexpr std::array kDialects = {Dialect::openai, Dialect::anthropic};
constexpr std::array<std::pair<std::string_view, CapField>, 2> kCapFields = {
    {{"max_completion_tokens", CapField::max_completion_tokens}, {"max_tokens", CapField::max_tokens}}};

// How a dialect presents a credential where the file does not say.
Auth default_auth(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai:
      return Auth::bearer;
    case Dialect::anthropic:
      return Auth::x_api_key;
  }
  return Auth::bearer;
}

void refuse_secret(const Cursor& cursor, std::string_view allowed) {
  cursor.context->report.refuse(cursor.at(), cursor.path, Secret::kMask, allowed);
}

bool all_between(std::string_view text, char low, char high) {
  return std::ranges::all_of(text, [=](char c) { return c >= low && c <= high; });
}

void read_dialect(const MapReader& map, ProviderConfig& provider) {
  const auto cursor = map.require("dialect", "openai or anthropic");
  if (!cursor) return;
  provider.dialect = read_named(*cursor, kDialects).value_or(provider.dialect);
}

void read_base_url(const MapReader& map, ProviderConfig& provider) {
  const auto cursor = map.require("base_url", kBaseUrlForm);
  if (!cursor) return;
  const auto text = read_text(*cursor, kBaseUrlForm);
  if (!text) return;
  if (auto url = parse_base_url(text->value)) {
    provider.base_url = std::move(*url);
    // The paths of this dialect begin with /v1, and many write its URL with one as for the other dialect.
    std::string& path = provider.base_url.path;
    if (provider.dialect == Dialect::anthropic && path.ends_with("/v1")) path.resize(path.size() - 3);
    if (const auto advice = base_url_advice(provider.base_url, provider.dialect)) cursor->warn(*advice);
  } else if (text->value.find_first_of("@?") != std::string::npos) {
    refuse_secret(*cursor, kBaseUrlForm);  // a password or a key may stand there
  } else {
    cursor->refuse(kBaseUrlForm);
  }
}

// `$NAME` without braces. The text is not shown: a secret may begin with a dollar.
void warn_of_bare_variable(const Cursor& cursor, const Text& text) {
  if (text.from_variable || !is_bare_variable(text.value)) return;
  cursor.warn("begins with $ and has no braces, so it is sent as it stands; for an environment variable write ${NAME}");
}

std::optional<Secret> read_api_key(const Cursor& cursor) {
  constexpr std::string_view kForm = "a credential: visible ASCII characters without spaces";
  auto text = read_text(cursor, kForm);
  if (!text) return std::nullopt;
  if (text->value.empty()) {
    cursor.say("empty; leave api_key out where the provider needs no credential");
    return std::nullopt;
  }
  if (!all_between(text->value, '!', '~')) {
    refuse_secret(cursor, kForm);
    return std::nullopt;
  }
  warn_of_bare_variable(cursor, *text);
  return Secret(std::move(text->value));
}

void read_credential(const MapReader& map, ProviderConfig& provider) {
  const auto key = map.find("api_key");
  if (key) provider.api_key = read_api_key(*key).value_or(Secret());
  const auto how = map.find("auth");
  const auto auth = how ? read_named(*how, kAuths) : std::nullopt;
  if (!auth) {
    provider.auth = key ? default_auth(provider.dialect) : Auth::none;
    return;
  }
  provider.auth = *auth;
  const bool takes_key = *auth != Auth::none && *auth != Auth::passthrough;
  if (key && !takes_key) how->say(fmt::format("{} would leave api_key unused; leave one of them out", name(*auth)));
  if (!key && takes_key) how->say("needs an api_key beside it");
}

// Headers that Fuseboard writes itself: a second copy would break the request or the connection.
bool is_own_header(std::string_view lower) {
  constexpr std::array<std::string_view, 10> kOwn = {
      "connection", "content-length",    "host",    "keep-alive", "proxy-connection", "te",
      "trailer",    "transfer-encoding", "upgrade", "expect"};
  return std::ranges::find(kOwn, lower) != kOwn.end();
}

// OpenAI's newer models, its own and Azure's, refuse `max_tokens`; many compatible servers know nothing else.
CapField default_cap_field(const BaseUrl& url) {
  const std::string host = lowercase(url.host);
  const bool is_openai = host.ends_with(".openai.com") || host.ends_with(".openai.azure.com");
  return is_openai ? CapField::max_completion_tokens : CapField::max_tokens;
}

void read_cap_field(const MapReader& map, ProviderConfig& provider) {
  provider.cap_field = default_cap_field(provider.base_url);
  const auto cursor = map.find("cap_field");
  if (!cursor) return;
  if (provider.dialect == Dialect::anthropic) cursor->say("the anthropic dialect has only max_tokens; leave this out");
  provider.cap_field = read_choice<CapField>(*cursor, kCapFields).value_or(provider.cap_field);
}

bool is_header_value(std::string_view value) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  if (!value.empty() && (blank(value.front()) || blank(value.back()))) return false;
  return std::ranges::all_of(value, [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); });
}

std::string credential_header(const ProviderConfig& provider) {
  switch (provider.auth) {
    case Auth::none:
    case Auth::passthrough:
      return "";
    case Auth::bearer:
      return "authorization";
    case Auth::x_api_key:
      return "x-api-key";
    case Auth::api_key:
      return "api-key";
  }
  return "";
}

bool carries_credentials(std::string_view lower) {
  return lower == "authorization" || lower == "x-api-key" || lower == "api-key";
}

// Whether this header may be added; reports where not.
bool accept_header(const Cursor& cursor, const Entry& entry, const ProviderConfig& provider) {
  Report& report = cursor.context->report;
  const std::string path = join(cursor.path, entry.key);
  const std::string lower = lowercase(entry.key);
  const auto same_name = [&](const ExtraField& other) { return lowercase(other.name) == lower; };
  if (!is_header_name(entry.key)) {
    report.say(entry.at, path, "not a header's name");
  } else if (is_own_header(lower)) {
    report.say(entry.at, path, "this header is Fuseboard's own to write");
  } else if (lower == credential_header(provider)) {
    report.say(entry.at, path, "api_key is already sent in this header");
  } else if (provider.auth == Auth::passthrough && carries_credentials(lower)) {
    report.say(entry.at, path, "passthrough leaves this header to the caller");
  } else if (std::ranges::any_of(provider.headers, same_name)) {
    report.say(entry.at, path, "duplicate header; upper and lower case are the same");
  } else {
    return true;
  }
  return false;
}

void read_headers(const Cursor& cursor, ProviderConfig& provider) {
  constexpr std::string_view kForm = "a header's value: visible ASCII, no spaces at its ends";
  if (!expect_kind(cursor, Node::Kind::map, "a map of header names to values")) return;
  for (const Entry& entry : cursor.node->entries) {
    if (!accept_header(cursor, entry, provider)) continue;
    const Cursor value = cursor.child(entry);
    auto text = read_text(value, kForm);
    if (!text) continue;
    if (!is_header_value(text->value)) refuse_secret(value, kForm);
    warn_of_bare_variable(value, *text);
    provider.headers.push_back({entry.key, Secret(std::move(text->value))});
  }
}

void read_query(const Cursor& cursor, ProviderConfig& provider) {
  if (!expect_kind(cursor, Node::Kind::map, "a map of parameter names to values")) return;
  for (const Entry& entry : cursor.node->entries) {
    if (entry.key.empty()) cursor.context->report.say(entry.at, cursor.path, "a parameter needs a name");
    auto text = read_text(cursor.child(entry), "a parameter's value");
    if (text) warn_of_bare_variable(cursor.child(entry), *text);
    if (text) provider.query.push_back({entry.key, Secret(std::move(text->value))});
  }
}

// Why no header that `pattern` means may be forwarded; empty: it may. A wider pattern leaves such headers out by
// itself.
std::string_view forward_problem(const ProviderConfig& provider, std::string_view pattern) {
  std::string meant(pattern);
  std::erase(meant, '*');
  if (is_never_forwarded(meant))
    return "this header concerns one connection, the body's coding, cookies or Fuseboard itself, and is never "
           "forwarded";
  if (is_credential_header(meant) && provider.auth != Auth::passthrough)
    return "this header carries a caller's credential or account, which goes to a provider with auth: passthrough "
           "alone; for one of your own use headers";
  return {};
}

void read_forward_headers(const Cursor& cursor, ProviderConfig& provider) {
  constexpr std::string_view kForm = "a list of header names, in which * stands for any characters";
  constexpr std::string_view kPatternForm = "a header's name of 1 to 128 characters, with at least 2 besides any *";
  constexpr std::size_t kMax = 64;
  constexpr std::size_t kLongest = 128;
  if (!expect_kind(cursor, Node::Kind::sequence, kForm)) return;
  if (cursor.node->items.size() > kMax) cursor.say("more than 64 names; * stands for any characters");
  for (std::size_t i = 0; i < std::min(cursor.node->items.size(), kMax); ++i) {
    const Cursor item = cursor.item(i);
    const auto text = read_text(item, kPatternForm);
    if (!text) continue;
    std::string pattern = lowercase(text->value);
    const auto stars = static_cast<std::size_t>(std::ranges::count(pattern, '*'));
    if (!is_header_name(pattern) || pattern.size() > kLongest || pattern.size() - stars < 2) {
      item.refuse(kPatternForm);
    } else if (const std::string_view problem = forward_problem(provider, pattern); !problem.empty()) {
      item.say(fmt::format("{}: {}", item.shown(), problem));
    } else {
      provider.forward_headers.push_back(std::move(pattern));
    }
  }
}

void read_tls(const Cursor& cursor, ProviderConfig& provider) {
  constexpr std::array<std::string_view, 1> kKeys = {"ca"};
  constexpr std::string_view kForm = "a PEM file of certificate authorities";
  const auto ca = MapReader(cursor, kKeys).find("ca");
  if (!ca) return;
  const auto text = read_text(*ca, kForm);
  if (!text) return;
  if (text->value.empty()) {
    ca->refuse(kForm);
    return;
  }
  if (!provider.base_url.tls) cursor.say("base_url begins with http://, so there is no TLS to set up");
  provider.ca_file = (std::filesystem::path(cursor.context->folder) / text->value).lexically_normal().string();
  if (!cursor.context->check_files) return;
  if (const auto problem = ca_file_problem(provider.ca_file)) ca->say(*problem);
}

ProviderEntry read_provider(const Cursor& cursor, std::string_view name) {
  const MapReader map(cursor, kProviderKeys);
  ProviderEntry provider;
  provider.config.name = name;
  read_dialect(map, provider.config);
  read_base_url(map, provider.config);
  read_credential(map, provider.config);
  read_cap_field(map, provider.config);
  if (const auto headers = map.find("headers")) read_headers(*headers, provider.config);
  if (const auto query = map.find("query")) read_query(*query, provider.config);
  if (const auto names = map.find("forward_headers")) read_forward_headers(*names, provider.config);
  if (const auto tls = map.find("tls")) read_tls(*tls, provider.config);
  if (const auto breaker = map.find("breaker")) provider.breaker = read_breaker(*breaker);
  if (const auto timeouts = map.find("timeouts")) provider.timeouts = read_timeouts(*timeouts);
  if (const auto limits = map.find("limits")) provider.limits = read_limits(*limits);

  const std::array breakers = {&std::as_const(provider.breaker)};
  provider.config.breaker = apply<BreakerOptions>(breakers, provider_preset());
  report_problems<BreakerOptions>(provider.config.breaker, breakers);
  const std::array timeouts = {&std::as_const(provider.timeouts)};
  provider.config.timeouts = apply<AttemptTimeouts>(timeouts, {});
  report_problems<AttemptTimeouts>(provider.config.timeouts, timeouts);
  const std::array limits = {&std::as_const(provider.limits)};
  const LimitKeys keys = apply<LimitKeys>(limits, {});
  report_problems<LimitKeys>(keys, limits);
  provider.config.state = keys.resolved();
  return provider;
}

}  // namespace

std::vector<ProviderEntry> read_providers(const Cursor& cursor) {
  constexpr std::string_view kForm = "a map of names to providers, at least one";
  std::vector<ProviderEntry> providers;
  if (!expect_kind(cursor, Node::Kind::map, kForm)) return providers;
  if (cursor.node->entries.empty()) cursor.context->report.refuse(cursor.at(), cursor.path, "an empty map", kForm);
  for (const Entry& entry : cursor.node->entries) {
    const Cursor provider = cursor.child(entry);
    if (!is_provider_name(entry.key)) {
      cursor.context->report.say(entry.at, provider.path, kProviderNameRule);
    }
    providers.push_back(read_provider(provider, entry.key));
  }
  return providers;
}

const ProviderEntry* find_provider(const std::vector<ProviderEntry>& providers, std::string_view name) noexcept {
  const auto found = std::ranges::find(providers, name, [](const ProviderEntry& one) { return one.config.name; });
  return found == providers.end() ? nullptr : &*found;
}

}  // namespace fuseboard::config
