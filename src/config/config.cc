// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/config.h"

#include <algorithm>

namespace fuseboard::config {
namespace {

template <typename Entry>
const Entry* find_named(const std::vector<Entry>& entries, std::string Entry::* member,
                        std::string_view name) noexcept {
  const auto found = std::ranges::find(entries, name, member);
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

std::string_view name(Dialect dialect) noexcept {
  switch (dialect) {
    case Dialect::openai:
      return "openai";
    case Dialect::anthropic:
      return "anthropic";
  }
  return "";
}

std::string_view name(Auth auth) noexcept {
  switch (auth) {
    case Auth::none:
      return "none";
    case Auth::bearer:
      return "bearer";
    case Auth::x_api_key:
      return "x-api-key";
    case Auth::api_key:
      return "api-key";
    case Auth::passthrough:
      return "passthrough";
  }
  return "";
}

std::string_view name(StreamRecoveryMode mode) noexcept {
  switch (mode) {
    case StreamRecoveryMode::continue_answer:
      return "continue";
    case StreamRecoveryMode::restart:
      return "restart";
    case StreamRecoveryMode::fail:
      return "fail";
  }
  return "";
}

std::string_view name(MalformedEvents events) noexcept { return events == MalformedEvents::fail ? "fail" : "skip"; }

std::string_view name(UnsupportedFields fields) noexcept {
  return fields == UnsupportedFields::reject ? "reject" : "drop";
}

const ProviderConfig* Config::find_provider(std::string_view name) const noexcept {
  return find_named(providers, &ProviderConfig::name, name);
}

const ModelConfig* Config::find_model(std::string_view alias) const noexcept {
  return find_named(models, &ModelConfig::alias, alias);
}

std::optional<TargetConfig> Config::target(std::string_view provider, std::string_view model) const {
  for (const ModelConfig& one : models) {
    for (const TargetConfig& target : one.targets) {
      if (target.provider == provider && target.model == model) return target;
    }
  }
  const ProviderConfig* found = find_provider(provider);
  if (found == nullptr) return std::nullopt;
  return TargetConfig{.provider = found->name,
                      .model = std::string(model),
                      .breaker = found->breaker,
                      .timeouts = found->timeouts,
                      .state = found->state};
}

}  // namespace fuseboard::config
