// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "config/names.h"
#include "config/policies.h"

namespace fuseboard::config {
namespace {

// Reads the models one after another and remembers where each target was met.
class ModelsReader {
 public:
  explicit ModelsReader(const std::vector<ProviderEntry>& providers) : providers_(providers) {}

  ModelConfig read(const Cursor& cursor, std::string_view alias);

 private:
  // What a model says for all its targets.
  struct Common {
    Layer<BreakerOptions> breaker;
    Layer<AttemptTimeouts> timeouts;
  };
  // Where a target was met first, and with which values.
  struct Met {
    std::string path;
    int line;
    BreakerOptions breaker;
    AttemptTimeouts timeouts;
  };

  void read_targets(const Cursor& cursor, const Common& common, ModelConfig& model);
  TargetConfig read_target(const Cursor& cursor, const Common& common);
  const ProviderEntry* read_provider_name(const MapReader& map, TargetConfig& target) const;
  void compare_with_earlier(const Cursor& cursor, const TargetConfig& target);

  const std::vector<ProviderEntry>& providers_;
  std::map<std::pair<std::string, std::string>, Met> met_;
};

bool equal(const AttemptTimeouts& a, const AttemptTimeouts& b) {
  static_assert(sizeof(AttemptTimeouts) == 5 * sizeof(Duration), "a new timeout belongs into this comparison");
  const auto all = [](const AttemptTimeouts& t) {
    return std::tie(t.connect, t.headers, t.first_content, t.idle, t.total);
  };
  return all(a) == all(b);
}

bool same_target(const TargetConfig& a, const TargetConfig& b) {
  return a.provider == b.provider && a.model == b.model;
}

void read_strategy(const Cursor& cursor) {
  // One strategy for now, so there is nothing to remember.
  constexpr std::array<std::pair<std::string_view, int>, 1> kStrategies = {{{"ordered", 0}}};
  read_choice<int>(cursor, kStrategies);
}

void read_upstream_model(const MapReader& map, TargetConfig& target) {
  const auto cursor = map.require("model", kModelForm);
  if (!cursor) return;
  auto text = read_text(*cursor, kModelForm);
  if (!text) return;
  if (!is_upstream_model(text->value)) cursor->refuse(kModelForm);
  target.model = std::move(text->value);
}

const ProviderEntry* ModelsReader::read_provider_name(const MapReader& map, TargetConfig& target) const {
  const auto cursor = map.require("provider", "the name of one of the providers");
  if (!cursor) return nullptr;
  auto text = read_text(*cursor, "the name of one of the providers");
  if (!text) return nullptr;
  target.provider = std::move(text->value);
  const ProviderEntry* provider = find_provider(providers_, target.provider);
  // Without any provider the file has been told that they are missing.
  if (provider == nullptr && !providers_.empty()) {
    std::vector<std::string_view> names;
    for (const ProviderEntry& one : providers_) names.push_back(one.config.name);
    cursor->refuse(list_names(names));
  }
  return provider;
}

TargetConfig ModelsReader::read_target(const Cursor& cursor, const Common& common) {
  constexpr std::array<std::string_view, 4> kKeys = {"provider", "model", "breaker", "timeouts"};
  const MapReader map(cursor, kKeys);
  TargetConfig target;
  const ProviderEntry* provider = read_provider_name(map, target);
  read_upstream_model(map, target);
  Common own;
  if (const auto breaker = map.find("breaker")) own.breaker = read_breaker(*breaker);
  if (const auto timeouts = map.find("timeouts")) own.timeouts = read_timeouts(*timeouts);

  static const ProviderEntry kUnknown;
  if (provider == nullptr) provider = &kUnknown;
  const std::array breakers = {&provider->breaker, &common.breaker, &std::as_const(own.breaker)};
  target.breaker = apply<BreakerOptions>(breakers, provider_preset());
  report_problems<BreakerOptions>(target.breaker, breakers);
  const std::array timeouts = {&provider->timeouts, &common.timeouts, &std::as_const(own.timeouts)};
  target.timeouts = apply<AttemptTimeouts>(timeouts, {});
  report_problems<AttemptTimeouts>(target.timeouts, timeouts);
  return target;
}

void ModelsReader::compare_with_earlier(const Cursor& cursor, const TargetConfig& target) {
  const auto [met, first] =
      met_.try_emplace({target.provider, target.model}, cursor.path, cursor.at().line, target.breaker, target.timeouts);
  if (first) return;
  // The target's name may come from a variable, so the message does without.
  const auto differ = [&](std::string_view what) {
    cursor.say(fmt::format("the same target has {} at {} (line {}); they belong to the target, so they must be equal",
                           what, met->second.path, met->second.line));
  };
  if (met->second.breaker != target.breaker) differ("another breaker");
  if (!equal(met->second.timeouts, target.timeouts)) differ("other timeouts");
}

void ModelsReader::read_targets(const Cursor& cursor, const Common& common, ModelConfig& model) {
  constexpr std::string_view kForm = "a list of targets, at least one";
  if (!expect_kind(cursor, Node::Kind::sequence, kForm)) return;
  if (cursor.node->items.empty()) cursor.context->report.refuse(cursor.at(), cursor.path, "an empty list", kForm);
  for (std::size_t i = 0; i < cursor.node->items.size(); ++i) {
    const Cursor item = cursor.item(i);
    TargetConfig target = read_target(item, common);
    const bool named = !target.provider.empty() && !target.model.empty();
    if (named &&
        std::ranges::any_of(model.targets, [&](const TargetConfig& one) { return same_target(one, target); })) {
      item.say("this target is in the list already; retry says how often it is tried");
      continue;
    }
    if (named) compare_with_earlier(item, target);
    model.targets.push_back(std::move(target));
  }
}

ModelConfig ModelsReader::read(const Cursor& cursor, std::string_view alias) {
  constexpr std::array<std::string_view, 5> kKeys = {"strategy", "targets", "retry", "breaker", "timeouts"};
  const MapReader map(cursor, kKeys);
  ModelConfig model;
  model.alias = alias;
  if (const auto strategy = map.find("strategy")) read_strategy(*strategy);
  if (const auto retry = map.find("retry")) {
    const Layer<PlanOptions> layer = read_retry(*retry);
    const std::array layers = {&layer};
    model.plan = apply<PlanOptions>(layers, {});
    report_problems<PlanOptions>(model.plan, layers);
  }
  Common common;
  if (const auto breaker = map.find("breaker")) common.breaker = read_breaker(*breaker);
  if (const auto timeouts = map.find("timeouts")) common.timeouts = read_timeouts(*timeouts);
  // By themselves too, for the values that every target replaces.
  const std::array breakers = {&std::as_const(common.breaker)};
  report_problems<BreakerOptions>(apply<BreakerOptions>(breakers, provider_preset()), breakers);
  const std::array timeouts = {&std::as_const(common.timeouts)};
  report_problems<AttemptTimeouts>(apply<AttemptTimeouts>(timeouts, {}), timeouts);
  if (const auto targets = map.require("targets", "a list of {provider, model}")) read_targets(*targets, common, model);
  return model;
}

}  // namespace

std::vector<ModelConfig> read_models(const Cursor& cursor, const std::vector<ProviderEntry>& providers) {
  std::vector<ModelConfig> models;
  if (!expect_kind(cursor, Node::Kind::map, "a map of names to models")) return models;
  ModelsReader reader(providers);
  for (const Entry& entry : cursor.node->entries) {
    const Cursor model = cursor.child(entry);
    if (!is_alias(entry.key)) cursor.context->report.say(entry.at, model.path, kAliasRule);
    models.push_back(reader.read(model, entry.key));
  }
  return models;
}

}  // namespace fuseboard::config
