// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/plan_keys.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "config/setters.h"
#include "config/units.h"
#include "fuseboard/core/category.h"
#include "fuseboard/retry/backoff.h"
#include "fuseboard/route/order.h"

namespace fuseboard::config {
namespace {

using PlanLayer = Layer<PlanKeys>;

void read_jitter(const Cursor& cursor, PlanLayer& layer) {
  constexpr std::array kJitters = {Jitter::none, Jitter::proportional, Jitter::full, Jitter::decorrelated};
  if (const auto jitter = read_named(cursor, kJitters)) {
    layer.set("retry.jitter", cursor, [jitter](PlanKeys& keys) { keys.plan.retry.jitter = *jitter; });
  }
}

void read_factor(const Cursor& cursor, PlanLayer& layer) {
  if (const auto factor = read_number(cursor)) {
    layer.set("retry.factor", cursor, [factor](PlanKeys& keys) { keys.plan.retry.factor = *factor; });
  }
}

void read_backoff(const Cursor& cursor, PlanLayer& layer) {
  constexpr std::string_view kForm = "exponential, linear, or a list of durations such as [100ms, 1s, 10s]";
  BackoffKind backoff;
  if (cursor.node->kind == Node::Kind::sequence) {
    BackoffList list;
    for (std::size_t i = 0; i < cursor.node->items.size(); ++i) {
      const auto wait = read_duration(cursor.item(i), kDurationForm);
      if (!wait) return;
      list.push_back(*wait);
    }
    backoff = std::move(list);
  } else {
    const auto text = read_text(cursor, kForm);
    if (!text) return;
    if (text->value == "linear") {
      backoff = LinearBackoff{};
    } else if (text->value != "exponential") {
      return cursor.refuse(kForm);
    }
  }
  layer.set("retry.backoff", cursor, [backoff](PlanKeys& keys) { keys.plan.retry.backoff = backoff; });
}

void read_overall_deadline(const Cursor& cursor, PlanLayer& layer) {
  constexpr std::string_view kForm = "a duration such as 250ms, 1.5s, 2m or 1h, or none";
  const auto text = read_text(cursor, kForm);
  if (!text) return;
  const auto deadline = text->value == "none" ? std::optional(kForever) : parse_duration(text->value);
  if (!deadline) {
    cursor.refuse(kForm);
    return;
  }
  layer.set("overall_deadline", cursor, [deadline](PlanKeys& keys) { keys.plan.overall_deadline = *deadline; });
}

constexpr std::array<Field<PlanKeys>, 2> kRetryBudgetFields = {{
    {"ratio",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_number(cursor, layer, "retry_budget.ratio", [](PlanKeys& keys) -> auto& { return keys.retry_budget.ratio; });
     }},
    {"min_per_second",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_count(cursor, layer, "retry_budget.min_per_second",
                 [](PlanKeys& keys) -> auto& { return keys.retry_budget.min_per_second; });
     }},
}};

void read_retry_budget(const Cursor& cursor, PlanLayer& layer) { add_layer(cursor, kRetryBudgetFields, layer); }

constexpr std::array<Field<PlanKeys>, 12> kRetryFields = {{
    {"max_attempts",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_count(cursor, layer, "retry.max_attempts",
                 [](PlanKeys& keys) -> auto& { return keys.plan.retry.max_attempts; });
     }},
    {"base",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_duration(cursor, layer, "retry.base", [](PlanKeys& keys) -> auto& { return keys.plan.retry.base; });
     }},
    {"factor", read_factor},
    {"step",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_duration(cursor, layer, "retry.step", [](PlanKeys& keys) -> auto& { return keys.plan.retry.step; });
     }},
    {"max",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_duration(cursor, layer, "retry.max", [](PlanKeys& keys) -> auto& { return keys.plan.retry.max; });
     }},
    {"backoff", read_backoff},
    {"jitter", read_jitter},
    {"jitter_width",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_number(cursor, layer, "retry.jitter_width",
                  [](PlanKeys& keys) -> auto& { return keys.plan.retry.jitter_width; });
     }},
    {"overall_deadline", read_overall_deadline},
    {"max_total_attempts",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_count(cursor, layer, "max_total_attempts",
                 [](PlanKeys& keys) -> auto& { return keys.plan.max_total_attempts; });
     }},
    {"retry_after_stay",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_duration(cursor, layer, "retry_after_stay",
                    [](PlanKeys& keys) -> auto& { return keys.plan.retry_after_stay; });
     }},
    {"budget", read_retry_budget},
}};

void read_strategy(const Cursor& cursor, PlanLayer& layer) {
  constexpr std::array kStrategies = {Strategy::ordered, Strategy::weighted, Strategy::least_latency};
  if (const auto strategy = read_named(cursor, kStrategies))
    layer.set("strategy", cursor, [strategy](PlanKeys& keys) { keys.plan.strategy = *strategy; });
}

constexpr std::array<Field<PlanKeys>, 1> kRecoveryFields = {{
    {"max_wait",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_duration(cursor, layer, "max_recovery_wait",
                    [](PlanKeys& keys) -> auto& { return keys.plan.max_recovery_wait; });
     }},
}};

constexpr std::array<Field<PlanKeys>, 1> kHedgeFields = {{
    {"after_percentile",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_number(cursor, layer, "hedge.percentile", [](PlanKeys& keys) -> auto& {
         return keys.plan.hedge.has_value() ? keys.plan.hedge->percentile : keys.plan.hedge.emplace().percentile;
       });
     }},
}};

void read_hedge(const Cursor& cursor, PlanLayer& layer) {
  // The key alone asks for hedges.
  layer.edits.emplace_back([](PlanKeys& keys) { keys.plan.hedge.emplace(); });
  add_layer(cursor, kHedgeFields, layer);
}

void read_patience(const Cursor& cursor, PlanLayer& layer) {
  constexpr std::string_view kForm = "auto, off, or a duration such as 20s";
  const auto text = read_text(cursor, kForm);
  if (!text) return;
  PatienceOptions patience{.enabled = text->value != "off"};
  if (text->value != "off" && text->value != "auto") {
    patience.fixed = parse_duration(text->value);
    if (!patience.fixed) {
      cursor.refuse(kForm);
      return;
    }
  }
  layer.set("patience.fixed", cursor, [patience](PlanKeys& keys) { keys.plan.patience = patience; });
}

constexpr std::array<Field<PlanKeys>, 2> kCompanyFields = {{
    {"ratio",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_number(cursor, layer, "company.ratio", [](PlanKeys& keys) -> auto& { return keys.company.ratio; });
     }},
    {"min_per_second",
     [](const Cursor& cursor, PlanLayer& layer) {
       set_number(cursor, layer, "company.min_per_second",
                  [](PlanKeys& keys) -> auto& { return keys.company.min_per_second; });
     }},
}};

// The categories that fall back only when asked to.
void read_fallback_on(const Cursor& cursor, PlanLayer& layer) {
  constexpr std::array kCategories = {Category::content_policy};
  if (!expect_kind(cursor, Node::Kind::sequence, "a list of content_policy or nothing")) return;
  CategorySet categories;
  for (std::size_t i = 0; i < cursor.node->items.size(); ++i) {
    if (const auto category = read_named(cursor.item(i), kCategories)) categories.insert(*category);
  }
  layer.set("fallback_on", cursor, [categories](PlanKeys& keys) { keys.plan.fallback_on = categories; });
}

}  // namespace

Problems PlanKeys::validate() const {
  Validator validator;
  validator.merge("retry_budget", retry_budget.validate());
  validator.merge("company", company.validate());
  Problems problems = plan.validate();
  std::ranges::move(std::move(validator).take(), std::back_inserter(problems));
  return problems;
}

PlanKeys read_plan(const Cursor& model, const MapReader& map) {
  PlanLayer layer;
  layer.map = model;
  if (const auto retry = map.find("retry")) layer = read_layer(*retry, kRetryFields);
  if (const auto strategy = map.find("strategy")) read_strategy(*strategy, layer);
  if (const auto wait = map.find("wait_for_recovery")) add_layer(*wait, kRecoveryFields, layer);
  if (const auto hedge = map.find("hedge")) read_hedge(*hedge, layer);
  if (const auto patience = map.find("patience")) read_patience(*patience, layer);
  if (const auto company = map.find("company")) add_layer(*company, kCompanyFields, layer);
  if (const auto fallback = map.find("fallback_on")) read_fallback_on(*fallback, layer);
  const std::array layers = {&std::as_const(layer)};
  const PlanKeys keys = apply<PlanKeys>(layers, {});
  report_problems<PlanKeys>(keys, layers);
  return keys;
}

}  // namespace fuseboard::config
