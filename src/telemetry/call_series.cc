// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/telemetry/call_series.h"

#include <functional>
#include <set>
#include <string>

namespace fuseboard::telemetry {
namespace {

constexpr std::string_view kOther = "other";

void bump(std::atomic<std::uint64_t>& cell, std::uint64_t by = 1) noexcept {
  cell.fetch_add(by, std::memory_order_relaxed);
}
std::uint64_t read(const std::atomic<std::uint64_t>& cell) noexcept { return cell.load(std::memory_order_relaxed); }

}  // namespace

CallSeries::CallSeries() {
  const std::set<std::string, std::less<>> other = {std::string(kOther)};
  models_.add(other);
  targets_.add(other);
  models_.find(kOther)->spend.add(other);
}

void CallSeries::add(const Names& names) {
  std::set<std::string, std::less<>> models;
  std::set<std::string, std::less<>> targets;
  std::set<std::string, std::less<>> providers = names.providers;
  for (const auto& plan : names.plans) {
    models.insert(plan->name());
    for (const Target& target : plan->targets()) {
      targets.insert(target.name);
      providers.emplace(target.state->breaker().key().first());
    }
  }
  providers_.add(providers);
  targets_.add(targets);
  models_.add(models);
  for (const auto& plan : names.plans) {
    std::set<std::string, std::less<>> of_plan;
    for (const Target& target : plan->targets()) of_plan.insert(target.name);
    models_.find(plan->name())->spend.add(of_plan);
  }
}

template <typename Series>
Series& CallSeries::find(const AppendOnlyMap<Series>& series, std::string_view name) noexcept {
  Series* const found = series.find(name);
  return found != nullptr ? *found : *series.find(kOther);
}

void CallSeries::call_ended(const CallId& /*id*/, const std::shared_ptr<const Plan>& plan,
                            const CallRecord& record) noexcept {
  ModelSeries& model = find(models_, plan->name());
  bump(model.endings[static_cast<std::size_t>(record.ending)]);
  model.duration.observe(record.duration());
  count_attempts(*plan, record, model);
}

void CallSeries::count_attempts(const Plan& plan, const CallRecord& record, ModelSeries& model) noexcept {
  bump(model.retries, retries_of(record));
  bump(model.fallbacks, fallbacks_of(record).size());
  for (const AttemptRecord& attempt : record.attempts) {
    TargetSeries& target = find(targets_, plan.targets()[attempt.target].name);
    if (attempt.failure) {
      bump(target.failed[static_cast<std::size_t>(attempt.failure->category)]);
    } else {
      bump(target.succeeded);
    }
    target.duration.observe(attempt.duration);
    count_spend(attempt, plan.targets()[attempt.target].name, model);
    if (attempt.charged && attempt.charged->understated) {
      const BreakerHandle& breaker = plan.targets()[attempt.target].state->breaker();
      if (ProviderSeries* const provider = providers_.find(breaker.key().first())) bump(provider->understated);
    }
    if (attempt.skipped_events > 0) bump(model.skipped, attempt.skipped_events);
    if (attempt.resent) bump(target.resent);
    if (attempt.first_content && !attempt.recovery) model.first_content.observe(*attempt.first_content);
    if (attempt.company) bump(model.company);
    if (attempt.overtaken) bump(target.overtaken);
  }
  for (const RejectionRecord& refusal : record.rejections)
    bump(find(targets_, plan.targets()[refusal.target].name).refused);
}

// All targets of "other" count as one.
void CallSeries::count_spend(const AttemptRecord& attempt, std::string_view target, ModelSeries& model) noexcept {
  if (!attempt.charged) return;
  Spend* known = model.spend.find(target);
  if (known == nullptr) known = models_.find(kOther)->spend.find(kOther);  // a plan has changed and was not added
  Spend& spend = *known;
  bump(spend.tokens, attempt.charged->charged.tokens);
  bump(spend.nano_dollars, attempt.charged->charged.cost.nanos());
}

CallSeries::Totals CallSeries::totals() const noexcept {
  Totals totals;
  for (const auto& [name, model] : models_.all()) {
    for (const Cell& ending : model->endings) totals.calls += read(ending);
    totals.succeeded += read(model->endings[static_cast<std::size_t>(Ending::success)]);
  }
  for (const auto& [name, target] : targets_.all()) {
    totals.attempts += read(target->succeeded);
    for (const Cell& failed : target->failed) totals.attempts += read(failed);
  }
  return totals;
}

void CallSeries::write_spend(Exposition& out) const {
  const auto family = [&](std::string_view family_name, std::string_view help, auto write) {
    out.family(family_name, Exposition::Type::counter, help);
    for (const auto& [name, model] : models_.all()) {
      for (const auto& [target, spend] : model->spend.all()) {
        const std::array<Label, 2> labels = {{{"model", name}, {"target", target}}};
        write(family_name, labels, *spend);
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

void CallSeries::write(Exposition& out) const {
  write_spend(out);
  out.family("fuseboard_calls_total", Exposition::Type::counter, "Calls by how they ended.");
  for (const auto& [name, model] : models_.all()) {
    for (std::size_t i = 0; i < kEndings; ++i) {
      out.sample("fuseboard_calls_total", {{"model", name}, {"ending", fuseboard::name(static_cast<Ending>(i))}},
                 read(model->endings[i]));
    }
  }
  out.family("fuseboard_retries_total", Exposition::Type::counter, "Attempts on the target that had just failed.");
  for (const auto& [name, model] : models_.all())
    out.sample("fuseboard_retries_total", {{"model", name}}, read(model->retries));
  out.family("fuseboard_fallbacks_total", Exposition::Type::counter,
             "Moves to another target, after a failed attempt or past a refusal.");
  for (const auto& [name, model] : models_.all()) {
    out.sample("fuseboard_fallbacks_total", {{"model", name}}, read(model->fallbacks));
  }
  out.family("fuseboard_company_total", Exposition::Type::counter,
             "Attempts beside others that had outlasted their patience.");
  for (const auto& [name, model] : models_.all())
    out.sample("fuseboard_company_total", {{"model", name}}, read(model->company));
  out.family("fuseboard_skipped_events_total", Exposition::Type::counter,
             "Events of streams that were malformed and left out.");
  for (const auto& [name, model] : models_.all()) {
    out.sample("fuseboard_skipped_events_total", {{"model", name}}, read(model->skipped));
  }
  out.family("fuseboard_call_duration_seconds", Exposition::Type::histogram,
             "From the request to the end of its answer.");
  for (const auto& [name, model] : models_.all()) {
    const Label label{"model", name};
    model->duration.write(out, "fuseboard_call_duration_seconds", std::span(&label, 1));
  }
  out.family("fuseboard_time_to_first_content_seconds", Exposition::Type::histogram,
             "Of streams: from the start of the attempt to its first content.");
  for (const auto& [name, model] : models_.all()) {
    const Label label{"model", name};
    model->first_content.write(out, "fuseboard_time_to_first_content_seconds", std::span(&label, 1));
  }
  out.family("fuseboard_attempts_total", Exposition::Type::counter, "Attempts by target and result.");
  for (const auto& [name, target] : targets_.all()) {
    out.sample("fuseboard_attempts_total", {{"target", name}, {"result", "success"}}, read(target->succeeded));
    for (const CategoryProperties& category : all_categories()) {
      // Categories that never occurred would be eighteen empty series a target.
      const std::uint64_t count = read(target->failed[static_cast<std::size_t>(category.category)]);
      if (count > 0) out.sample("fuseboard_attempts_total", {{"target", name}, {"result", category.name}}, count);
    }
  }
  out.family("fuseboard_refusals_total", Exposition::Type::counter, "Attempts refused locally, by target.");
  for (const auto& [name, target] : targets_.all()) {
    out.sample("fuseboard_refusals_total", {{"target", name}}, read(target->refused));
  }
  out.family("fuseboard_resent_total", Exposition::Type::counter,
             "Attempts sent again over a fresh connection, as the kept one had died unused.");
  for (const auto& [name, target] : targets_.all()) {
    out.sample("fuseboard_resent_total", {{"target", name}}, read(target->resent));
  }
  out.family("fuseboard_overtaken_total", Exposition::Type::counter,
             "Attempts that outlasted their patience and whose company answered, by target.");
  for (const auto& [name, target] : targets_.all()) {
    out.sample("fuseboard_overtaken_total", {{"target", name}}, read(target->overtaken));
  }
  out.family("fuseboard_usage_understated_total", Exposition::Type::counter,
             "Answers whose provider reported less than a quarter of the observed tokens.");
  for (const auto& [name, provider] : providers_.all()) {
    out.sample("fuseboard_usage_understated_total", {{"provider", name}}, read(provider->understated));
  }
  out.family("fuseboard_attempt_duration_seconds", Exposition::Type::histogram, "Of one attempt, by target.");
  for (const auto& [name, target] : targets_.all()) {
    const Label label{"target", name};
    target->duration.write(out, "fuseboard_attempt_duration_seconds", std::span(&label, 1));
  }
}

}  // namespace fuseboard::telemetry
