// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Credentials and targets.
#include <utility>

#include "c/boundary.h"
#include "c/handles.h"
#include "fuseboard/c/plan.h"
#include "fuseboard/pipeline/target.h"

using namespace fuseboard;
using namespace fuseboard::c_api;

namespace {

// A target's state with the breakers that must outlive it.
struct SharedTarget {
  SharedTarget(std::shared_ptr<ClockedBreakers> its_breakers, const BreakerScopes& scopes,
               const TargetStateOptions& options, KeyView key, std::shared_ptr<CredentialGate> credential)
      : breakers(std::move(its_breakers)), state(scopes, options, key, std::move(credential)) {}

  const std::shared_ptr<ClockedBreakers> breakers;
  TargetState state;
  Subscription watching;
};

fuseboard_credential_options default_credential_options() noexcept {
  const CredentialGateOptions options;
  return {.struct_size = sizeof(fuseboard_credential_options),
          .park_ms = ceil_milliseconds(options.park),
          .park_max_ms = ceil_milliseconds(options.park_max),
          .probe_lease_ms = ceil_milliseconds(options.probe_lease)};
}

fuseboard_target_options default_target_options() noexcept {
  const TargetStateOptions options;
  return {.struct_size = sizeof(fuseboard_target_options),
          .breakers = nullptr,
          .provider = nullptr,
          .model = nullptr,
          .provider_breaker = false,
          .reserve_for_priorities = false,
          .concurrency = 0,
          .requests_per_minute = 0.0,
          .requests_burst = 0.0,
          .tokens_per_minute = 0.0,
          .tokens_burst = 0.0,
          .queue_capacity = static_cast<std::uint32_t>(options.queue.capacity),
          .retries_per_second = options.retry_budget.min_per_second,
          .retry_ratio = options.retry_budget.ratio,
          .queue_max_wait_ms = ceil_milliseconds(options.queue.max_wait),
          .retry_after_max_ms = ceil_milliseconds(options.retry_after_max),
          .credential = nullptr};
}

// Where 0 means that there is none.
template <typename Number>
std::optional<Number> limit(Number given) noexcept {
  return given == Number{} ? std::nullopt : std::optional(given);
}

TargetStateOptions to_state_options(const fuseboard_target_options& given) {
  return {.limits = {.requests_per_minute = limit(given.requests_per_minute),
                     .requests_burst = limit(given.requests_burst),
                     .tokens_per_minute = limit(given.tokens_per_minute),
                     .tokens_burst = limit(given.tokens_burst),
                     .concurrency = limit(given.concurrency),
                     .priorities = given.reserve_for_priorities ? std::optional(PriorityOptions{}) : std::nullopt},
          .retry_after_max = milliseconds(given.retry_after_max_ms),
          .retry_budget = {.ratio = given.retry_ratio, .min_per_second = given.retries_per_second},
          .queue = {.capacity = given.queue_capacity, .max_wait = milliseconds(given.queue_max_wait_ms)}};
}

std::shared_ptr<TargetState> make_state(const std::shared_ptr<ClockedBreakers>& breakers, KeyView key,
                                        const fuseboard_target_options& given) {
  const TargetStateOptions options = to_state_options(given);
  throw_if_invalid(options.validate());  // before the registry gets new keys
  BreakerRegistry& registry = breakers->registry;
  const bool two_scopes = given.provider_breaker && given.model != nullptr;
  const BreakerScopes scopes = two_scopes ? BreakerScopes{registry.handle(key.first()), registry.handle(key)}
                                          : BreakerScopes{registry.handle(key)};
  auto target = std::make_shared<SharedTarget>(breakers, scopes, options, key,
                                               given.credential == nullptr ? nullptr : given.credential->gate);
  target->watching = registry.subscribe([weak = std::weak_ptr(target)](const BreakerEvent& event) {
    if (const auto alive = weak.lock()) alive->state.on_breaker_event(event);
  });
  return {target, &target->state};
}

}  // namespace

KeyView fuseboard::c_api::key_of(const char* provider, const char* model) {
  const std::string_view first = required_name(provider, "provider");
  return model == nullptr ? KeyView(first) : KeyView(first, required_name(model, "model"));
}

// Credentials.

fuseboard_status fuseboard_credential_options_init(fuseboard_credential_options* options) noexcept {
  return guarded([&] {
    required(options, "options") = default_credential_options();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_credential_create(const char* name, const fuseboard_credential_options* options,
                                             fuseboard_credential** credential) noexcept {
  return guarded([&] {
    required(credential, "credential") = nullptr;
    const auto given = options == nullptr ? default_credential_options() : read(*options, default_credential_options());
    auto gate = std::make_shared<CredentialGate>(
        required_name(name, "name"), CredentialGateOptions{.park = milliseconds(given.park_ms),
                                                           .park_max = milliseconds(given.park_max_ms),
                                                           .probe_lease = milliseconds(given.probe_lease_ms)});
    *credential = new fuseboard_credential{std::move(gate)};
    return FUSEBOARD_OK;
  });
}

void fuseboard_credential_destroy(fuseboard_credential* credential) noexcept { delete credential; }

fuseboard_status fuseboard_credential_unpark(fuseboard_credential* credential) noexcept {
  return guarded([&] {
    required(credential, "credential").gate->unpark();
    return FUSEBOARD_OK;
  });
}

// Targets.

fuseboard_status fuseboard_target_options_init(fuseboard_target_options* options) noexcept {
  return guarded([&] {
    required(options, "options") = default_target_options();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_target_create(const fuseboard_target_options* options, fuseboard_target** target) noexcept {
  return guarded([&] {
    required(target, "target") = nullptr;
    const auto given = read(required(options, "options"), default_target_options());
    const auto& breakers = required(given.breakers, "breakers").shared;
    const KeyView key = key_of(given.provider, given.model);
    *target = new fuseboard_target{.name = to_text(key),
                                   .provider = std::string(key.first()),
                                   .clock = breakers->clock,
                                   .state = make_state(breakers, key, given)};
    return FUSEBOARD_OK;
  });
}

void fuseboard_target_destroy(fuseboard_target* target) noexcept { delete target; }

fuseboard_status fuseboard_target_get_usage(const fuseboard_target* target, fuseboard_target_usage* usage) noexcept {
  return guarded([&] {
    const fuseboard_target& asked = required(target, "target");
    JointLimiter* const limits = asked.state->limits();
    const JointSnapshot now = limits == nullptr ? JointSnapshot{} : limits->snapshot(asked.clock.now());
    write(&required(usage, "usage"), {.struct_size = 0,
                                      .limited = limits != nullptr,
                                      .in_flight = now.in_flight,
                                      .requests_available = now.requests_available.value_or(0.0),
                                      .tokens_available = now.tokens_available.value_or(0.0),
                                      .waiting = asked.state->queue().size()});
    return FUSEBOARD_OK;
  });
}
