// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/model_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "config/caching_keys.h"
#include "config/limit_keys.h"
#include "config/name_rules.h"
#include "config/plan_keys.h"
#include "config/policy_keys.h"

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
    Layer<LimitKeys> limits;
    RetryBudgetOptions retry_budget{};
    CompanyOptions company{};

    void read(const MapReader& map);
    // By themselves, for the values that every target replaces.
    void report() const;
  };
  // Where a target was met first, and with which values.
  struct Met {
    std::string path;
    int line;
    TargetConfig target;
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

template <typename T>
void read_bounded(const Cursor& cursor, std::int64_t max, T& value) {
  const auto read = read_integer(cursor);
  if (!read) return;
  if (*read < 1 || *read > max) return cursor.refuse(fmt::format("1 to {}", max));
  value = static_cast<std::uint32_t>(*read);
}

void read_weight(const Cursor& cursor, TargetConfig& target) {
  const auto weight = read_number(cursor);
  if (!weight) return;
  // Written so that NaN is refused.
  if (!(*weight >= 0.0 && *weight <= 1e6)) cursor.refuse("0 to 1000000");
  target.weight = *weight;
}

// A key of one target that no model and no provider has. Where `differ` is set it belongs to the target, so that it
// must be equal wherever the same target occurs; `what` says which of it was not.
struct TargetField {
  std::string_view key;
  void (*read)(const Cursor& cursor, TargetConfig& target);
  bool (*differ)(const TargetConfig& a, const TargetConfig& b);
  std::string_view what;
};
constexpr std::array<TargetField, 5> kTargetFields = {{
    {"context_window",
     [](const Cursor& cursor, TargetConfig& target) { read_bounded(cursor, 1'000'000'000, target.context_window); },
     [](const TargetConfig& a, const TargetConfig& b) { return a.context_window != b.context_window; },
     "another context window"},
    {"prefill",
     [](const Cursor& cursor, TargetConfig& target) { target.request.prefill = read_bool(cursor).value_or(false); },
     [](const TargetConfig& a, const TargetConfig& b) { return a.request.prefill != b.request.prefill; },
     "another prefill"},
    {"max_tokens",
     [](const Cursor& cursor, TargetConfig& target) { read_bounded(cursor, 1'000'000, target.request.max_tokens); },
     [](const TargetConfig& a, const TargetConfig& b) { return a.request.max_tokens != b.request.max_tokens; },
     "other max_tokens"},
    {"reasoning",
     [](const Cursor& cursor, TargetConfig& target) {
       constexpr std::array kAll = {Reasoning::budget, Reasoning::effort, Reasoning::leave_out};
       target.request.reasoning = read_named(cursor, kAll).value_or(target.request.reasoning);
     },
     [](const TargetConfig& a, const TargetConfig& b) { return a.request.reasoning != b.request.reasoning; },
     "another reasoning"},
    {"weight", read_weight, nullptr, ""},
}};

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
  std::array<std::string_view, kTargetFields.size() + 5> known = {"provider", "model"};
  auto end = std::ranges::transform(kTargetFields, known.begin() + 2, &TargetField::key).out;
  for (const std::string_view layer : {"breaker", "limits", "timeouts"}) *end++ = layer;
  const MapReader map(cursor, known);
  TargetConfig target;
  const ProviderEntry* provider = read_provider_name(map, target);
  read_upstream_model(map, target);
  for (const TargetField& field : kTargetFields) {
    if (const auto value = map.find(field.key)) field.read(*value, target);
  }
  Common own;
  own.read(map);

  static const ProviderEntry kUnknown;
  if (provider == nullptr) provider = &kUnknown;
  const std::array breakers = {&provider->breaker, &common.breaker, &std::as_const(own.breaker)};
  target.breaker = apply<BreakerOptions>(breakers, provider_preset());
  report_problems<BreakerOptions>(target.breaker, breakers);
  const std::array timeouts = {&provider->timeouts, &common.timeouts, &std::as_const(own.timeouts)};
  target.timeouts = apply<AttemptTimeouts>(timeouts, {});
  report_problems<AttemptTimeouts>(target.timeouts, timeouts);
  const std::array limits = {&provider->limits, &common.limits, &std::as_const(own.limits)};
  const LimitKeys keys = apply<LimitKeys>(limits, {});
  report_problems<LimitKeys>(keys, limits);
  target.state = keys.resolved();
  target.state.retry_budget = common.retry_budget;
  target.state.company = common.company;
  return target;
}

void ModelsReader::compare_with_earlier(const Cursor& cursor, const TargetConfig& target) {
  const auto [met, first] =
      met_.try_emplace({target.provider, target.model}, Met{cursor.path, cursor.at().line, target});
  if (first) return;
  const TargetConfig& earlier = met->second.target;
  // The target's name may come from a variable, so the message does without.
  const auto differ = [&](std::string_view what) {
    cursor.say(fmt::format("the same target has {} at {} (line {}); they belong to the target, so they must be equal",
                           what, met->second.path, met->second.line));
  };
  if (earlier.breaker != target.breaker) differ("another breaker");
  if (!equal(earlier.timeouts, target.timeouts)) differ("other timeouts");
  if (!same_limits(earlier.state, target.state)) differ("other limits");
  if (earlier.state.retry_budget != target.state.retry_budget) differ("another retry budget");
  if (earlier.state.company != target.state.company) differ("other bounds on company");
  for (const TargetField& field : kTargetFields) {
    if (field.differ != nullptr && field.differ(earlier, target)) differ(field.what);
  }
}

// Of a target: what could only mean something under another strategy or another recovery of its model.
void warn_of_idle_keys(const Cursor& target, const TargetConfig& read, const ModelConfig& model) {
  const auto place = [&](std::string_view key) -> const Entry* {
    const auto found = std::ranges::find(target.node->entries, key, &Entry::key);
    return found == target.node->entries.end() ? nullptr : &*found;
  };
  if (const Entry* const weight = place("weight"); weight != nullptr && model.plan.strategy != Strategy::weighted) {
    target.child(*weight).warn(
        fmt::format("does nothing under strategy: {}; weights are for strategy: weighted", name(model.plan.strategy)));
  }
  const Entry* const prefill = place("prefill");
  if (prefill != nullptr && read.request.prefill && model.stream_recovery != StreamRecoveryMode::continue_answer) {
    target.child(*prefill).warn(fmt::format("does nothing under stream_recovery: {}; it is for stream_recovery: {}",
                                            name(model.stream_recovery), name(StreamRecoveryMode::continue_answer)));
  }
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
    warn_of_idle_keys(item, target, model);
    model.targets.push_back(std::move(target));
  }
  if (model.targets.size() > kMaxTargets) {
    cursor.say(fmt::format("a model has at most {} targets; here are {}", kMaxTargets, model.targets.size()));
  }
}

void ModelsReader::Common::read(const MapReader& map) {
  if (const auto found = map.find("breaker")) breaker = read_breaker(*found);
  if (const auto found = map.find("timeouts")) timeouts = read_timeouts(*found);
  if (const auto found = map.find("limits")) limits = read_limits(*found);
}

void ModelsReader::Common::report() const {
  const std::array breakers = {&breaker};
  report_problems<BreakerOptions>(apply<BreakerOptions>(breakers, provider_preset()), breakers);
  const std::array all_timeouts = {&timeouts};
  report_problems<AttemptTimeouts>(apply<AttemptTimeouts>(all_timeouts, {}), all_timeouts);
  const std::array all_limits = {&limits};
  LimitKeys keys = apply<LimitKeys>(all_limits, {});
  keys.adaptive = false;  // the rate may stand nearer or farther
  report_problems<LimitKeys>(keys, all_limits);
}

void read_answering(const MapReader& map, ModelConfig& model) {
  using Recovery = StreamRecoveryMode;
  if (const auto recovery = map.find("stream_recovery")) {
    constexpr std::array kModes = {Recovery::continue_answer, Recovery::restart, Recovery::fail};
    model.stream_recovery = read_named(*recovery, kModes).value_or(model.stream_recovery);
  }
  if (const auto events = map.find("malformed_events")) {
    constexpr std::array kModes = {MalformedEvents::fail, MalformedEvents::skip};
    model.malformed_events = read_named(*events, kModes).value_or(model.malformed_events);
  }
  if (const auto fields = map.find("unsupported_fields")) {
    constexpr std::array kModes = {UnsupportedFields::reject, UnsupportedFields::drop};
    model.unsupported_fields = read_named(*fields, kModes).value_or(model.unsupported_fields);
  }
}

ModelConfig ModelsReader::read(const Cursor& cursor, std::string_view alias) {
  constexpr std::array<std::string_view, 8> kOwnKeys = {
      "targets", "cache", "stream_recovery", "malformed_events", "unsupported_fields", "breaker", "limits", "timeouts"};
  std::array<std::string_view, kPlanKeys.size() + kOwnKeys.size()> keys;
  std::ranges::copy(kOwnKeys, std::ranges::copy(kPlanKeys, keys.begin()).out);
  const MapReader map(cursor, keys);
  ModelConfig model;
  model.alias = alias;
  const PlanKeys plan = read_plan(cursor, map);
  model.plan = plan.plan;
  if (const auto cache = map.find("cache")) {
    model.cache = read_cache(*cache);
    cache->warn("does nothing yet: the gateway keeps no answers");
  }
  read_answering(map, model);
  Common common;
  common.read(map);
  common.retry_budget = plan.retry_budget;
  common.company = plan.company;
  common.report();
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
