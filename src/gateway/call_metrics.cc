// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/call_metrics.h"

namespace fuseboard::gateway {
namespace {

using telemetry::Exposition;
using telemetry::Label;

constexpr std::string_view kOther = "other";

void bump(std::atomic<std::uint64_t>& cell, std::uint64_t by = 1) noexcept {
  cell.fetch_add(by, std::memory_order_relaxed);
}
std::uint64_t read(const std::atomic<std::uint64_t>& cell) noexcept { return cell.load(std::memory_order_relaxed); }

}  // namespace

CallMetrics::CallMetrics(const ModelTable& models) {
  models_.emplace(kOther, std::make_unique<ModelSeries>(std::vector<std::string>{std::string(kOther)}));
  targets_.emplace(kOther, std::make_unique<TargetSeries>());
  for (const Provider& provider : models.providers())
    providers_.emplace_back(provider.name, std::make_unique<ProviderSeries>());
  for (const auto& route : models.routes()) {
    std::vector<std::string> targets;
    for (const Target& target : route->plan->targets()) {
      targets_.emplace(target.name, std::make_unique<TargetSeries>());
      targets.push_back(target.name);
    }
    models_.emplace(route->name, std::make_unique<ModelSeries>(std::move(targets)));
  }
}

template <typename Series>
Series& CallMetrics::find(const ByName<Series>& series, std::string_view name) noexcept {
  const auto found = series.find(name);
  return found != series.end() ? *found->second : *series.find(kOther)->second;
}

void CallMetrics::count(const Route& route, const CallRecord& record) noexcept {
  ModelSeries& model = find(models_, route.name);
  bump(model.endings[static_cast<std::size_t>(record.ending)]);
  model.duration.observe(record.duration());
  count_attempts(route, record, model);
}

void CallMetrics::count_skipped(const Route& route, std::uint64_t events) noexcept {
  if (events > 0) find(models_, route.name).skipped.fetch_add(events, std::memory_order_relaxed);
}

void CallMetrics::count_resent(std::string_view target) noexcept { bump(find(targets_, target).resent); }

void CallMetrics::count_attempts(const Route& route, const CallRecord& record, ModelSeries& model) noexcept {
  const Plan& plan = *route.plan;
  const AttemptRecord* previous = nullptr;
  for (const AttemptRecord& attempt : record.attempts) {
    TargetSeries& target = find(targets_, plan.targets()[attempt.target].name);
    if (attempt.failure) {
      bump(target.failed[static_cast<std::size_t>(attempt.failure->category)]);
    } else {
      bump(target.succeeded);
    }
    target.duration.observe(attempt.duration);
    count_spend(attempt, model);
    if (attempt.charged && attempt.charged->understated) {
      bump(providers_[route.upstreams[attempt.target].provider].second->understated);
    }
    if (attempt.first_content && !attempt.recovery) model.first_content.observe(*attempt.first_content);
    if (attempt.company) bump(model.company);
    if (attempt.overtaken) bump(target.overtaken);
    const bool beside = attempt.company || attempt.hedge;
    if (previous != nullptr && !beside) bump(previous->target == attempt.target ? model.retries : model.fallbacks);
    previous = &attempt;
  }
  for (const RejectionRecord& refusal : record.rejections)
    bump(find(targets_, plan.targets()[refusal.target].name).refused);
}

// A route that a caller wrote has one target, and counts as the one that stands for all others.
void CallMetrics::count_spend(const AttemptRecord& attempt, ModelSeries& model) noexcept {
  if (!attempt.charged || attempt.target >= model.targets.size()) return;
  Spend& spend = model.spend[attempt.target];
  bump(spend.tokens, attempt.charged->charged.tokens);
  bump(spend.nano_dollars, attempt.charged->charged.cost.nanos());
}

CallMetrics::Totals CallMetrics::totals() const noexcept {
  Totals totals;
  for (const auto& [name, model] : models_) {
    for (const Cell& ending : model->endings) totals.calls += read(ending);
    totals.succeeded += read(model->endings[static_cast<std::size_t>(Ending::success)]);
  }
  for (const auto& [name, target] : targets_) {
    totals.attempts += read(target->succeeded);
    for (const Cell& failed : target->failed) totals.attempts += read(failed);
  }
  return totals;
}

void CallMetrics::write_spend(Exposition& out) const {
  const auto family = [&](std::string_view family_name, std::string_view help, auto write) {
    out.family(family_name, Exposition::Type::counter, help);
    for (const auto& [name, model] : models_) {
      for (std::size_t i = 0; i < model->targets.size(); ++i) {
        const std::array<Label, 2> labels = {{{"model", name}, {"target", model->targets[i]}}};
        write(family_name, labels, model->spend[i]);
      }
    }
  };
  family("fuseboard_tokens_total", "Tokens charged, of requests and answers.",
         [&](std::string_view name, std::span<const Label> labels, const Spend& spend) {
           out.sample(name, labels, read(spend.tokens));
         });
  family("fuseboard_cost_usd_total", "US dollars charged, where there is a price.",
         [&](std::string_view name, std::span<const Label> labels, const Spend& spend) {
           out.sample(name, labels, static_cast<double>(read(spend.nano_dollars)) / 1e9);
         });
}

void CallMetrics::write(Exposition& out) const {
  write_spend(out);
  out.family("fuseboard_calls_total", Exposition::Type::counter, "Calls by how they ended.");
  for (const auto& [name, model] : models_) {
    for (std::size_t i = 0; i < kEndings; ++i) {
      out.sample("fuseboard_calls_total", {{"model", name}, {"ending", fuseboard::name(static_cast<Ending>(i))}},
                 read(model->endings[i]));
    }
  }
  out.family("fuseboard_retries_total", Exposition::Type::counter, "Attempts on the target that had just failed.");
  for (const auto& [name, model] : models_)
    out.sample("fuseboard_retries_total", {{"model", name}}, read(model->retries));
  out.family("fuseboard_fallbacks_total", Exposition::Type::counter,
             "Attempts on another target after a failed attempt.");
  for (const auto& [name, model] : models_) {
    out.sample("fuseboard_fallbacks_total", {{"model", name}}, read(model->fallbacks));
  }
  out.family("fuseboard_company_total", Exposition::Type::counter,
             "Attempts beside others that had outlasted their patience.");
  for (const auto& [name, model] : models_)
    out.sample("fuseboard_company_total", {{"model", name}}, read(model->company));
  out.family("fuseboard_skipped_events_total", Exposition::Type::counter,
             "Events of streams that were malformed and left out.");
  for (const auto& [name, model] : models_) {
    out.sample("fuseboard_skipped_events_total", {{"model", name}}, read(model->skipped));
  }
  out.family("fuseboard_call_duration_seconds", Exposition::Type::histogram,
             "From the request to the end of its answer.");
  for (const auto& [name, model] : models_) {
    const Label label{"model", name};
    model->duration.write(out, "fuseboard_call_duration_seconds", std::span(&label, 1));
  }
  out.family("fuseboard_time_to_first_content_seconds", Exposition::Type::histogram,
             "Of streams: from the start of the attempt to its first content.");
  for (const auto& [name, model] : models_) {
    const Label label{"model", name};
    model->first_content.write(out, "fuseboard_time_to_first_content_seconds", std::span(&label, 1));
  }
  out.family("fuseboard_attempts_total", Exposition::Type::counter, "Attempts by target and result.");
  for (const auto& [name, target] : targets_) {
    out.sample("fuseboard_attempts_total", {{"target", name}, {"result", "success"}}, read(target->succeeded));
    for (const CategoryProperties& category : all_categories()) {
      // Categories that never occurred would be eighteen empty series a target.
      const std::uint64_t count = read(target->failed[static_cast<std::size_t>(category.category)]);
      if (count > 0) out.sample("fuseboard_attempts_total", {{"target", name}, {"result", category.name}}, count);
    }
  }
  out.family("fuseboard_refusals_total", Exposition::Type::counter, "Attempts refused locally, by target.");
  for (const auto& [name, target] : targets_) {
    out.sample("fuseboard_refusals_total", {{"target", name}}, read(target->refused));
  }
  out.family("fuseboard_resent_total", Exposition::Type::counter,
             "Attempts sent again over a fresh connection, as the kept one had died unused.");
  for (const auto& [name, target] : targets_) {
    out.sample("fuseboard_resent_total", {{"target", name}}, read(target->resent));
  }
  out.family("fuseboard_overtaken_total", Exposition::Type::counter,
             "Attempts that outlasted their patience and whose company answered, by target.");
  for (const auto& [name, target] : targets_) {
    out.sample("fuseboard_overtaken_total", {{"target", name}}, read(target->overtaken));
  }
  out.family("fuseboard_usage_understated_total", Exposition::Type::counter,
             "Answers whose provider told less than a quarter of the tokens that were seen.");
  for (const auto& [name, provider] : providers_) {
    out.sample("fuseboard_usage_understated_total", {{"provider", name}}, read(provider->understated));
  }
  out.family("fuseboard_attempt_duration_seconds", Exposition::Type::histogram, "Of one attempt, by target.");
  for (const auto& [name, target] : targets_) {
    const Label label{"target", name};
    target->duration.write(out, "fuseboard_attempt_duration_seconds", std::span(&label, 1));
  }
}

}  // namespace fuseboard::gateway
