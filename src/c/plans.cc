// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Plans.
#include <algorithm>
#include <span>
#include <utility>

#include "c/boundary.h"
#include "c/handles.h"
#include "fuseboard/c/plan.h"

using namespace fuseboard;
using namespace fuseboard::c_api;

namespace {

static_assert(FUSEBOARD_JITTER_NONE == static_cast<int>(Jitter::none));
static_assert(FUSEBOARD_JITTER_PROPORTIONAL == static_cast<int>(Jitter::proportional));
static_assert(FUSEBOARD_JITTER_FULL == static_cast<int>(Jitter::full));
static_assert(FUSEBOARD_JITTER_DECORRELATED == static_cast<int>(Jitter::decorrelated));
static_assert(FUSEBOARD_STRATEGY_ORDERED == static_cast<int>(Strategy::ordered));
static_assert(FUSEBOARD_STRATEGY_WEIGHTED == static_cast<int>(Strategy::weighted));
static_assert(FUSEBOARD_STRATEGY_LEAST_LATENCY == static_cast<int>(Strategy::least_latency));

fuseboard_route_options default_route_options() noexcept {
  const AttemptTimeouts timeouts;
  return {.struct_size = sizeof(fuseboard_route_options),
          .connect_ms = ceil_milliseconds(timeouts.connect),
          .headers_ms = ceil_milliseconds(timeouts.headers),
          .first_content_ms = ceil_milliseconds(timeouts.first_content),
          .idle_ms = ceil_milliseconds(timeouts.idle),
          .total_ms = ceil_milliseconds(timeouts.total),
          .weight = RouteTraits{}.weight,
          .context_window = 0,
          .price = nullptr,
          .price_required = false};
}

fuseboard_retry_options default_retry_options() noexcept {
  const RetryOptions options;
  return {.struct_size = sizeof(fuseboard_retry_options),
          .max_attempts = options.max_attempts,
          .jitter = static_cast<fuseboard_jitter>(options.jitter),
          .base_ms = ceil_milliseconds(options.base),
          .max_ms = ceil_milliseconds(options.max),
          .factor = options.factor,
          .honor_retry_after = options.honor_retry_after,
          .step_ms = ceil_milliseconds(options.step),
          .list_ms = nullptr,
          .list_count = 0,
          .jitter_width = options.jitter_width,
          .backoff = FUSEBOARD_BACKOFF_EXPONENTIAL};
}

fuseboard_plan_options default_plan_options() noexcept {
  const PlanOptions options;
  return {.struct_size = sizeof(fuseboard_plan_options),
          .name = nullptr,
          .retry = nullptr,
          .retry_rules = nullptr,
          .retry_rule_count = 0,
          .overall_deadline_ms = ceil_milliseconds(options.overall_deadline),
          .max_total_attempts = options.max_total_attempts,
          .fallback_on = options.fallback_on.bits(),
          .strategy = static_cast<fuseboard_strategy>(options.strategy),
          .hedge = false,
          .max_recovery_wait_ms = ceil_milliseconds(options.max_recovery_wait),
          .hedge_percentile = HedgeOptions{}.percentile,
          .hedge_after_ms = FUSEBOARD_NONE_MS,
          .seed = 0,
          .patience_ms = FUSEBOARD_PATIENCE_AUTO,
          .retry_after_stay_ms = ceil_milliseconds(options.retry_after_stay)};
}

// What a plan cannot even be given is noted here, and it gets a default in its place, so that it can complain of the
// rest.
class PlanReader {
 public:
  std::optional<ModelPrice> price(const fuseboard_price* given, std::string_view target) {
    if (given == nullptr) return std::nullopt;
    const auto price = read(*given, {.struct_size = 0,
                                     .input_nanos = FUSEBOARD_NO_MONEY,
                                     .cached_input_nanos = FUSEBOARD_NO_MONEY,
                                     .output_nanos = FUSEBOARD_NO_MONEY});
    const std::string field = "target " + std::string(target) + ".price.";
    ModelPrice result{.input = money(price.input_nanos, field + "input_nanos"),
                      .output = money(price.output_nanos, field + "output_nanos")};
    if (price.cached_input_nanos != FUSEBOARD_NO_MONEY)
      result.cached_input = money(price.cached_input_nanos, field + "cached_input_nanos");
    return result;
  }

  RetryOptions retry(const fuseboard_retry_options* given, const std::string& field) {
    const auto options = given == nullptr ? default_retry_options() : read(*given, default_retry_options());
    return {.max_attempts = options.max_attempts,
            .base = milliseconds(options.base_ms),
            .factor = options.factor,
            .step = milliseconds(options.step_ms),
            .max = milliseconds(options.max_ms),
            .backoff = backoff(options, field),
            .jitter = one_of(options.jitter, Jitter::decorrelated, field + ".jitter"),
            .jitter_width = options.jitter_width,
            .honor_retry_after = options.honor_retry_after};
  }

  PlanOptions options(const fuseboard_plan_options& given) {
    PlanOptions result{.retry = retry(given.retry, "plan.retry"),
                       .overall_deadline = given.overall_deadline_ms == FUSEBOARD_NO_TIMEOUT
                                               ? kForever
                                               : milliseconds(given.overall_deadline_ms),
                       .max_total_attempts = given.max_total_attempts,
                       .fallback_on = CategorySet::from_bits(given.fallback_on),
                       .strategy = one_of(given.strategy, Strategy::least_latency, "plan.strategy"),
                       .max_recovery_wait = milliseconds(given.max_recovery_wait_ms)};
    validator_.require(result.fallback_on.bits() == given.fallback_on, "plan.fallback_on", "bits of no category",
                       "bits of categories");
    if (given.retry_rule_count > 0) required(given.retry_rules, "retry_rules");
    for (std::size_t i = 0; i < given.retry_rule_count; ++i) {
      const fuseboard_retry_rule& rule = given.retry_rules[i];
      const std::string field = "plan.retry_rules." + std::to_string(i);
      const Category category = one_of(rule.category, Category::execution_error, field + ".category");
      result.retry_by_category[category] = retry(rule.options, field);
    }
    result.patience.enabled = given.patience_ms != FUSEBOARD_PATIENCE_OFF;
    if (result.patience.enabled && given.patience_ms != FUSEBOARD_PATIENCE_AUTO)
      result.patience.fixed = milliseconds(given.patience_ms);
    result.retry_after_stay = milliseconds(given.retry_after_stay_ms);
    if (given.hedge) {
      result.hedge = {.percentile = given.hedge_percentile};
      if (given.hedge_after_ms != FUSEBOARD_NONE_MS) result.hedge->after = milliseconds(given.hedge_after_ms);
    }
    return result;
  }

  Problems take() && { return std::move(validator_).take(); }

 private:
  BackoffKind backoff(const fuseboard_retry_options& given, const std::string& field) {
    if (given.backoff == FUSEBOARD_BACKOFF_LINEAR) return LinearBackoff{};
    if (given.backoff == FUSEBOARD_BACKOFF_LIST) {
      BackoffList list;
      if (given.list_count > 0) required(given.list_ms, "list_ms");
      // One too many is refused like all that is.
      const std::size_t count = std::min(given.list_count, kMaxListedBackoffs + 1);
      for (std::size_t i = 0; i < count; ++i) list.push_back(milliseconds(given.list_ms[i]));
      return list;
    }
    validator_.require(given.backoff == FUSEBOARD_BACKOFF_EXPONENTIAL, field + ".backoff",
                       std::to_string(given.backoff), "0 to 2");
    return ExponentialBackoff{};
  }

  Money money(std::int64_t nanos, const std::string& field) {
    validator_.require(nanos >= 0, field, std::to_string(nanos), "0 or more");
    return Money::from_nanos(static_cast<std::uint64_t>(std::max<std::int64_t>(nanos, 0)));
  }
  template <typename Enum>
  Enum one_of(std::int32_t number, Enum last, const std::string& field) {
    validator_.in_range(field, number, 0, static_cast<std::int32_t>(last));
    return number < 0 || number > static_cast<std::int32_t>(last) ? Enum{} : static_cast<Enum>(number);
  }

  Validator validator_;
};

// The number of an element, which is added where it is new.
template <typename T>
std::uint32_t number_of(std::vector<T>& known, const T& element) {
  const auto found = std::ranges::find(known, element);
  const auto number = static_cast<std::uint32_t>(found - known.begin());
  if (found == known.end()) known.push_back(element);
  return number;
}

AttemptTimeouts to_timeouts(const fuseboard_route_options& given) noexcept {
  return {.connect = milliseconds(given.connect_ms),
          .headers = milliseconds(given.headers_ms),
          .first_content = milliseconds(given.first_content_ms),
          .idle = milliseconds(given.idle_ms),
          .total = milliseconds(given.total_ms)};
}

std::vector<Target> to_targets(std::span<const fuseboard_route> routes, PlanReader& reader,
                               std::vector<std::string>& providers) {
  std::vector<Target> targets;
  // Number 0 is that of no credential, here as there.
  std::vector<CredentialGate*> credentials = {nullptr};
  for (const fuseboard_route& route : routes) {
    const fuseboard_target& target = required(route.target, "routes.target");
    const auto options =
        route.options == nullptr ? default_route_options() : read(*route.options, default_route_options());
    RouteTraits traits{.credential = number_of(credentials, target.state->credential()),
                       .provider = number_of(providers, target.provider),
                       .weight = options.weight};
    if (options.context_window > 0) traits.context_window = options.context_window;
    targets.push_back({.name = target.name,
                       .state = target.state,
                       .timeouts = to_timeouts(options),
                       .traits = traits,
                       .price = reader.price(options.price, target.name),
                       .needs_price = options.price_required});
  }
  return targets;
}

CallersClock clock_of(std::span<const fuseboard_route> routes) {
  const CallersClock& clock = required(routes.front().target, "routes.target").clock;
  for (const fuseboard_route& route : routes) {
    if (!(required(route.target, "routes.target").clock == clock))
      throw_invalid("routes: the breakers of their targets have different clocks");
  }
  return clock;
}

std::shared_ptr<SharedPlan> make_plan(std::span<const fuseboard_route> routes, const fuseboard_plan_options& given) {
  PlanReader reader;
  std::vector<std::string> providers;
  std::vector<Target> targets = to_targets(routes, reader, providers);
  PlanOptions options = reader.options(given);
  const std::string name(given.name == nullptr ? "call" : required_name(given.name, "name"));
  Problems problems = std::move(reader).take();
  std::shared_ptr<const Plan> plan;
  try {
    plan = std::make_shared<const Plan>(name, std::move(targets), std::move(options));
  } catch (const InvalidOptions& invalid) {
    problems.insert(problems.end(), invalid.problems().begin(), invalid.problems().end());
  }
  throw_if_invalid(std::move(problems));
  const std::uint64_t seed = given.seed == 0 ? Rng::random_seed() : given.seed;
  return std::shared_ptr<SharedPlan>(new SharedPlan{
      .clock = clock_of(routes), .rng = Rng(seed), .providers = std::move(providers), .plan = std::move(plan)});
}

}  // namespace

fuseboard_status fuseboard_route_options_init(fuseboard_route_options* options) noexcept {
  return guarded([&] {
    required(options, "options") = default_route_options();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_retry_options_init(fuseboard_retry_options* options) noexcept {
  return guarded([&] {
    required(options, "options") = default_retry_options();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_plan_options_init(fuseboard_plan_options* options) noexcept {
  return guarded([&] {
    required(options, "options") = default_plan_options();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_plan_create(const fuseboard_route* routes, size_t route_count,
                                       const fuseboard_plan_options* options, fuseboard_plan** plan) noexcept {
  return guarded([&] {
    required(plan, "plan") = nullptr;
    if (route_count > 0) required(routes, "routes");
    const auto given = options == nullptr ? default_plan_options() : read(*options, default_plan_options());
    *plan = new fuseboard_plan{make_plan(std::span(routes, route_count), given)};
    return FUSEBOARD_OK;
  });
}

void fuseboard_plan_destroy(fuseboard_plan* plan) noexcept { delete plan; }

const char* fuseboard_plan_target_name(const fuseboard_plan* plan, uint32_t target) noexcept {
  if (plan == nullptr || target >= plan->shared->plan->targets().size()) return nullptr;
  return plan->shared->plan->targets()[target].name.c_str();
}
