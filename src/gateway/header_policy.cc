// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/header_policy.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>

#include "config/header_names.h"
#include "fuseboard/core/escape.h"
#include "gateway/bearer_token.h"

namespace fuseboard::gateway {
namespace {

// When a header stays behind on its way.
enum class Stays : std::uint8_t {
  never,
  always,
  if_translated,   // it means something to one dialect's servers alone
  as_sdks_use_it,  // if_translated, but one that is named like a credential is taken for one (unless_asked)
  unless_passed,   // the caller's credential towards us: it leaves only where a provider is configured to get it
  unless_asked,    // no dialect defines it: it leaves only if `forward_headers` names it, or as a credential does
};

struct Rule {
  std::string_view name;  // in lower case; "x-ours-" stands for every longer name that begins so
  Stays on_request;
  Stays on_answer;
  bool is_prefix = name.ends_with('-');
};

constexpr std::string_view kConnection = "connection";

constexpr Rule kOrdinary = {.name = {}, .on_request = Stays::unless_asked, .on_answer = Stays::never};

// Sorted by name. What always stays concerns one connection (all of net::is_hop_by_hop), one body, or us. What never
// stays on a request is what the dialects and their SDKs define, content negotiation and trace context (W3C Trace
// Context; `baggage` is data of the caller's own systems, and no provider's business).
constexpr std::array<Rule, 36> kRules = {{
    {"accept", Stays::never, Stays::never},
    {"accept-encoding", Stays::always, Stays::never},  // see upstream_request()
    {"accept-language", Stays::never, Stays::never},
    // What web pages may do is not for us to grant in its name.
    {"access-control-", Stays::unless_asked, Stays::always},
    {"anthropic-", Stays::unless_asked, Stays::if_translated},
    {"anthropic-beta", Stays::if_translated, Stays::if_translated},
    {"anthropic-version", Stays::if_translated, Stays::if_translated},
    {kConnection, Stays::always, Stays::always},
    {"content-encoding", Stays::always, Stays::never},  // request bodies were decoded
    {"content-language", Stays::never, Stays::never},
    {"content-length", Stays::always, Stays::always},
    {"content-type", Stays::never, Stays::never},
    {"cookie", Stays::always, Stays::never},
    {"expect", Stays::always, Stays::never},
    {"host", Stays::always, Stays::never},
    {"http2-settings", Stays::always, Stays::never},
    {"idempotency-key", Stays::never, Stays::never},
    {"keep-alive", Stays::always, Stays::always},
    {"openai-", Stays::unless_asked, Stays::if_translated},
    {"openai-beta", Stays::if_translated, Stays::if_translated},
    {"proxy-authenticate", Stays::always, Stays::always},
    {"proxy-authorization", Stays::always, Stays::always},
    {"proxy-connection", Stays::always, Stays::always},
    {"request-id", Stays::always, Stays::always},  // its ids of the request would contradict ours
    {"set-cookie", Stays::unless_asked, Stays::always},
    {"te", Stays::always, Stays::always},
    {"traceparent", Stays::never, Stays::never},
    {"tracestate", Stays::never, Stays::never},
    {"trailer", Stays::always, Stays::always},
    {"transfer-encoding", Stays::always, Stays::always},
    {"upgrade", Stays::always, Stays::always},
    {"user-agent", Stays::never, Stays::never},
    {"x-api-key", Stays::unless_passed, Stays::never},
    {"x-fuseboard-", Stays::always, Stays::always},
    {"x-request-id", Stays::always, Stays::always},
    {"x-stainless-", Stays::as_sdks_use_it, Stays::if_translated},
}};
static_assert(std::ranges::is_sorted(kRules, {}, &Rule::name));

// By first letter: where its rules begin, which is where those of the letter before end.
constexpr std::size_t kLetters = 26;
constexpr auto kRulesOfLetter = [] {
  std::array<std::size_t, kLetters + 1> begins{};
  for (const Rule& rule : kRules) {
    for (std::size_t after = static_cast<std::size_t>(rule.name.front() - 'a') + 1; after <= kLetters; ++after) {
      ++begins[after];
    }
  }
  return begins;
}();

bool is(std::string_view name, std::string_view known) {
  return name.size() == known.size() && net::equal_ignoring_case(name, known);
}

const Rule& rule_for(std::string_view name) {
  const std::size_t letter =
      name.empty() ? kLetters : static_cast<unsigned char>(name.front() | 0x20) - std::size_t{'a'};
  if (letter >= kLetters) return kOrdinary;
  const Rule* prefix = &kOrdinary;
  for (std::size_t i = kRulesOfLetter[letter]; i < kRulesOfLetter[letter + 1]; ++i) {
    const Rule& rule = kRules[i];
    if (!rule.is_prefix && is(name, rule.name)) return rule;
    if (rule.is_prefix && begins_with(name, rule.name)) prefix = &rule;
  }
  return *prefix;
}

struct Passage {
  bool translated = false;
  bool passes_credential = false;
  std::span<const std::string> asked_for{};  // see config::ProviderConfig::forward_headers
};

// A header that no dialect defines.
bool leaves_if_asked(std::string_view name, const Passage& passage) {
  if (passage.asked_for.empty() && !passage.passes_credential) return false;
  const std::string lower = config::lowercase(name);
  if (config::is_credential_header(lower)) return passage.passes_credential && !passage.translated;
  return std::ranges::any_of(passage.asked_for,
                             [&](const std::string& pattern) { return config::matches_glob(pattern, lower); });
}

bool stays_behind(Stays when, std::string_view name, const Passage& passage) {
  switch (when) {
    case Stays::never:
      return false;
    case Stays::always:
      return true;
    case Stays::if_translated:
      return passage.translated;
    case Stays::as_sdks_use_it:
      if (config::is_credential_header(config::lowercase(name))) return !leaves_if_asked(name, passage);
      return passage.translated;
    case Stays::unless_passed:
      return passage.translated || !passage.passes_credential;
    case Stays::unless_asked:
      return !leaves_if_asked(name, passage);
  }
  return true;
}

// What Connection headers name besides their own options, which are what they say nearly always (RFC 9110 7.6.1).
class NamedHeaders {
 public:
  void look_at(const Rule& rule, const net::Header& header) {
    if (rule.name != kConnection || header.value.empty()) return;
    if (!is(header.value, "keep-alive") && !is(header.value, "close")) lists_.add(header.name, header.value);
  }
  void erase_from(net::Headers& headers) const {
    if (lists_.empty()) return;
    headers.erase_if([&](const net::Header& header) { return lists_.has_token(kConnection, header.name); });
  }

 private:
  net::Headers lists_;
};

// Calls `visit` with each parameter of a query.
template <typename Visit>
void for_each_parameter(std::string_view query, Visit visit) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    if (end > 0) visit(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
}

// A parameter's name as servers read it. One that cannot be decoded is compared as it is.
std::string parameter_name(std::string_view parameter) {
  std::string name(parameter.substr(0, parameter.find('=')));
  std::ranges::replace(name, '+', ' ');
  return net::percent_decode(name).value_or(name);
}

// The caller's parameters as they are but for those that the provider sets, then the provider's.
std::string joined_query(std::string_view callers, std::string_view providers) {
  std::string query;
  const auto add = [&](std::string_view parameter) {
    query += query.empty() ? '?' : '&';
    query += parameter;
  };
  for_each_parameter(callers, [&](std::string_view parameter) {
    bool replaced = false;
    for_each_parameter(providers,
                       [&](std::string_view own) { replaced |= parameter_name(own) == parameter_name(parameter); });
    if (!replaced) add(parameter);
  });
  if (!providers.empty()) add(providers);
  return query;
}

// The caller's credential, from the header of its dialect first; empty where there is none.
std::string_view callers_token(const net::Headers& headers, llm::Dialect spoken) {
  std::string_view bearer = bearer_token(headers.get("authorization"));
  bearer.remove_prefix(std::min(bearer.find_first_not_of(' '), bearer.size()));
  const std::string_view key = headers.contains("x-api-key") ? headers.get("x-api-key") : headers.get("api-key");
  const bool bearer_first = llm::traits(spoken).key_header == "authorization";
  return key.empty() || (bearer_first && !bearer.empty()) ? bearer : key;
}

// To a provider of another dialect than the caller's.
void convert_credential(const net::Headers& caller, llm::Dialect spoken, const llm::DialectTraits& to,
                        net::Headers& headers) {
  const std::string_view token = callers_token(caller, spoken);
  if (!token.empty()) headers.set(to.key_header, std::string(to.key_scheme).append(token));
}

}  // namespace

net::RequestHead upstream_request(const net::RequestHead& caller, const Provider& provider, std::string_view path,
                                  llm::Dialect spoken) {
  const Passage passage{.translated = spoken != provider.dialect,
                        .passes_credential = provider.auth == config::Auth::passthrough,
                        .asked_for = provider.forward_headers};
  const bool translated = passage.translated;
  const llm::DialectTraits& to = llm::traits(provider.dialect);
  net::RequestHead head{.method = caller.method, .target = provider.path_prefix, .headers = {}};
  head.target += path;
  head.target += joined_query(translated ? std::string_view() : net::split_target(caller.target).query, provider.query);
  net::Headers& headers = head.headers;
  headers.reserve(caller.headers.size() + provider.headers.size() + 3, net::kUsualHeadBytes);
  NamedHeaders named;
  for (const net::Header header : caller.headers) {
    const Rule& rule = rule_for(header.name);
    named.look_at(rule, header);
    if (!stays_behind(rule.on_request, header.name, passage)) headers.add(header.name, header.value);
  }
  named.erase_from(headers);
  // Without the header any coding would be allowed (RFC 9110 12.5.3). Decoding costs more than the bytes that it spares
  // on the way from a provider; what comes coded nevertheless is decoded.
  headers.add("accept-encoding", "identity");
  if (translated) headers.set("content-type", "application/json");
  if (translated && passage.passes_credential) convert_credential(caller.headers, spoken, to, headers);
  // Every request must name one; this is the one that what we write ourselves is written for.
  const bool tells_version = !to.version_header.empty() && !headers.contains(to.version_header);
  if (tells_version) headers.set(to.version_header, to.version);
  for (const net::Header header : provider.headers) headers.set(header.name, header.value);
  return head;
}

net::ResponseHead caller_response(net::ResponseHead upstream, const ServedBy& served_by, llm::Dialect spoken) {
  const Passage passage{.translated = spoken != served_by.dialect};
  net::Headers& headers = upstream.headers;
  NamedHeaders named;
  headers.erase_if([&](const net::Header& header) {
    const Rule& rule = rule_for(header.name);
    named.look_at(rule, header);
    return stays_behind(rule.on_answer, header.name, passage);
  });
  named.erase_from(headers);
  add_served_by(headers, served_by);
  return upstream;
}

bool is_event_stream(const net::Headers& headers) noexcept {
  return net::starts_with_ignoring_case(headers.get("content-type"), "text/event-stream");
}

void describe_own_body(net::Headers& headers, bool streamed) {
  for (const std::string_view name :
       {"content-encoding", "content-disposition", "content-md5", "digest", "etag", "last-modified"}) {
    headers.erase(name);
  }
  headers.set("content-type", streamed ? "text/event-stream; charset=utf-8" : "application/json");
}

void add_served_by(net::Headers& headers, const ServedBy& served_by) {
  headers.add("x-request-id", served_by.request_id);
  const std::string_view id_header = llm::traits(served_by.dialect).request_id_header;
  if (!id_header.empty()) headers.add(id_header, served_by.request_id);
  if (!served_by.target.empty()) {
    // Callers write names of models too.
    if (is_printable(served_by.target)) {
      headers.add("x-fuseboard-target", served_by.target);
    } else {
      headers.add("x-fuseboard-target", escape_unprintable(served_by.target));
    }
  }
  headers.add("x-fuseboard-attempts", std::to_string(served_by.attempts));
  if (!served_by.upstream_request_id.empty()) {
    headers.add("x-fuseboard-upstream-request-id", served_by.upstream_request_id);
  }
  if (served_by.demo) headers.add("x-fuseboard-demo", "1");
}

}  // namespace fuseboard::gateway
