// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "config/address.h"
#include "config/budget_keys.h"
#include "config/classify_rules.h"
#include "config/header_names.h"
#include "config/model_keys.h"
#include "config/provider_keys.h"
#include "config/reader.h"
#include "config/source_text.h"
#include "config/units.h"
#include "fuseboard/core/validation.h"

namespace fuseboard::config {
namespace {

constexpr std::array<std::string_view, 13> kRootKeys = {
    "listen",    "allow_anonymous", "allowed_hosts", "admin",  "max_body",         "max_body_memory", "drain_timeout",
    "providers", "models",          "budgets",       "prices", "on_missing_price", "classify"};

constexpr std::uint64_t kMinBody = std::uint64_t{1} << 10;
constexpr std::uint64_t kMaxBody = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxBodyMemory = std::uint64_t{1} << 40;
constexpr Duration kLongestDrain = std::chrono::hours(1);

void read_listen(const Cursor& cursor, Config& config) {
  const auto text = read_text(cursor, "ADDRESS:PORT");
  if (!text) return;
  auto address = parse_listen_address(text->value);
  if (!address) {
    cursor.refuse(address.error());
    return;
  }
  config.listen = std::move(*address);
  // Whoever reaches the port spends the providers' credentials.
  if (!config.listen.is_loopback() && !config.allow_anonymous) {
    cursor.say(
        "this address can be reached from other machines and callers are not asked for a key; "
        "add allow_anonymous: true if that is meant");
  }
}

void read_allowed_hosts(const Cursor& cursor, Config& config) {
  constexpr std::string_view kForm = "a list of host names and addresses, without scheme and port";
  constexpr std::string_view kHostForm = "a host's name or address, without scheme and port, such as llm.internal";
  constexpr std::size_t kMax = 256;
  if (!expect_kind(cursor, Node::Kind::sequence, kForm)) return;
  if (cursor.node->items.size() > kMax) cursor.say("more than 256 hosts; allow_anonymous: true answers under any");
  for (std::size_t i = 0; i < std::min(cursor.node->items.size(), kMax); ++i) {
    const auto text = read_text(cursor.item(i), kHostForm);
    if (!text) continue;
    if (auto host = parse_host(text->value)) {
      config.allowed_hosts.push_back(lowercase(*host));
    } else {
      cursor.item(i).refuse(kHostForm);
    }
  }
}

void read_admin(const Cursor& cursor, Config& config) {
  constexpr std::array<std::string_view, 1> kKeys = {"token"};
  constexpr std::string_view kForm = "a token: visible ASCII characters without spaces, or nothing for none";
  const auto token = MapReader(cursor, kKeys).find("token");
  if (!token) return;
  auto text = read_text(*token, kForm);
  if (!text) return;
  if (std::ranges::all_of(text->value, [](char c) { return c > ' ' && c <= '~'; })) {
    config.admin_token = Secret(std::move(text->value));
  } else {
    cursor.context->report.refuse(token->at(), token->path, Secret::kMask, kForm);
  }
}

void read_max_body(const Cursor& cursor, Config& config) {
  const auto size = read_size(cursor);
  if (!size) return;
  if (*size < kMinBody || *size > kMaxBody) cursor.refuse("1KiB to 1GiB");
  config.max_body = static_cast<std::size_t>(*size);
}

// A body larger than all memory that bodies may have would wait in vain.
void read_max_body_memory(const Cursor& cursor, Config& config) {
  const auto size = read_size(cursor);
  if (!size) return;
  if (*size < config.max_body || *size > kMaxBodyMemory) cursor.refuse("max_body to 1TiB");
  config.max_body_memory = static_cast<std::size_t>(*size);
}

void read_drain_timeout(const Cursor& cursor, Config& config) {
  const auto time = read_duration(cursor, kDurationForm);
  if (!time) return;
  if (*time > kLongestDrain) cursor.refuse("0s to 1h");
  config.drain_timeout = *time;
}

Config read_root(const Cursor& root) {
  Config config;
  const MapReader map(root, kRootKeys);
  if (const auto anonymous = map.find("allow_anonymous"))
    config.allow_anonymous = read_bool(*anonymous).value_or(false);
  if (const auto listen = map.find("listen")) read_listen(*listen, config);
  if (const auto hosts = map.find("allowed_hosts")) read_allowed_hosts(*hosts, config);
  if (const auto admin = map.find("admin")) read_admin(*admin, config);
  if (const auto size = map.find("max_body")) read_max_body(*size, config);
  if (const auto size = map.find("max_body_memory")) read_max_body_memory(*size, config);
  if (const auto time = map.find("drain_timeout")) read_drain_timeout(*time, config);
  if (const auto rules = map.find("classify")) config.classify_rules = read_classify_rules(*rules);
  std::vector<ProviderEntry> providers;
  if (const auto cursor = map.require("providers", "a map of names to providers")) providers = read_providers(*cursor);
  if (const auto cursor = map.find("models")) config.models = read_models(*cursor, providers);
  for (ProviderEntry& provider : providers) config.providers.push_back(std::move(provider.config));
  read_budgets_and_prices(map, config);
  return config;
}

Loaded load(std::string_view text, std::string file_name, const Environment& environment, bool check_files) {
  const std::string folder = std::filesystem::path(file_name).parent_path().string();
  Report report(std::move(file_name), kMaxProblems);
  Context context{report, environment, folder, check_files};
  std::optional<Config> config;
  if (text.size() > kMaxConfigBytes) {
    report.say({}, "", fmt::format("larger than {} bytes", kMaxConfigBytes));
  } else {
    warn_of_tabs(text, report);
    if (const auto document = parse_document(text, report)) {
      config = read_root({document->root, "", &context, document->root->at});
    }
  }
  std::vector<Diagnostic> warnings = report.take_warnings();
  if (!report.empty()) return {std::nullopt, std::move(report).take(), std::move(warnings)};
  return {std::move(config), {}, std::move(warnings)};
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the contract rules out setenv meanwhile
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Loaded parse(std::string_view text, std::string file_name, const Environment& environment) {
  return load(text, std::move(file_name), environment, false);
}

Loaded load_file(const std::string& path, const Environment& environment) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  // One byte more than is allowed shows that there is more.
  std::string text(kMaxConfigBytes + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    const std::string reason = errno != 0 ? std::generic_category().message(errno) : "not a file";
    return {std::nullopt, {{.file = path, .message = fmt::format("cannot be read: {}", reason)}}};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return load(text, path, environment, true);
}

}  // namespace fuseboard::config
