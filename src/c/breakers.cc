// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <utility>

#include "c/boundary.h"
#include "c/convert.h"
#include "c/handles.h"

using namespace fuseboard;
using namespace fuseboard::c_api;

struct fuseboard_breaker_permit {
  std::shared_ptr<ClockedBreakers> breakers;  // outlives the permit
  BreakerPermit permit;
};

fuseboard_status fuseboard_breakers_create(const fuseboard_breaker_options* options, size_t max_keys,
                                           int64_t (*clock_now_ns)(void* clock_user), void* clock_user,
                                           fuseboard_breakers** breakers) noexcept {
  return guarded([&] {
    required(breakers, "breakers") = nullptr;
    BreakerRegistryOptions given{.defaults = options == nullptr ? provider_preset() : to_breaker_options(*options)};
    if (max_keys != 0) given.max_keys = max_keys;
    auto shared = std::make_shared<ClockedBreakers>(given, CallersClock(clock_now_ns, clock_user));
    *breakers = new fuseboard_breakers{std::move(shared)};
    return FUSEBOARD_OK;
  });
}

void fuseboard_breakers_destroy(fuseboard_breakers* breakers) noexcept { delete breakers; }

fuseboard_status fuseboard_breaker_try_acquire(fuseboard_breakers* breakers, const char* provider, const char* model,
                                               int64_t probe_lease_ms, fuseboard_breaker_permit** permit,
                                               fuseboard_rejection* rejection) noexcept {
  return guarded([&]() -> fuseboard_status {
    required(permit, "permit") = nullptr;
    check_out(rejection);
    const auto& shared = required(breakers, "breakers").shared;
    // First: a permit that could not be handed over would be taken in vain.
    auto handle = std::make_unique<fuseboard_breaker_permit>(shared, BreakerPermit());
    const KeyView key = key_of(provider, model);
    const auto lease = optional_milliseconds(probe_lease_ms, "probe_lease_ms");
    auto granted = lease ? shared->registry.try_acquire(key, *lease) : shared->registry.try_acquire(key);
    if (!granted) {
      write(rejection, from_rejection(granted.error()));
      return FUSEBOARD_REJECTED;
    }
    handle->permit = std::move(*granted);
    *permit = handle.release();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_breaker_settle(fuseboard_breaker_permit* permit, const fuseboard_failure* failure,
                                          int64_t latency_ns) noexcept {
  // Not within the guard: what an error unwinds counts as a failure, and here it is the caller's argument that is
  // wrong.
  const std::unique_ptr<fuseboard_breaker_permit> owned(permit);
  return guarded([&] {
    required(permit, "permit");
    const Duration took = latency(latency_ns);
    std::move(owned->permit)
        .settle(failure == nullptr ? Outcome::success(took) : Outcome::failed(to_failure(*failure), took));
    return FUSEBOARD_OK;
  });
}

void fuseboard_breaker_abandon(fuseboard_breaker_permit* permit) noexcept { delete permit; }

fuseboard_status fuseboard_breaker_snapshot(const fuseboard_breakers* breakers, const char* provider, const char* model,
                                            fuseboard_circuit* circuit) noexcept {
  return guarded([&] {
    check_out(&required(circuit, "circuit"));
    const BreakerRegistry& registry = required(breakers, "breakers").shared->registry;
    write(circuit, from_circuit(registry.snapshot(key_of(provider, model))));
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_breaker_reset(fuseboard_breakers* breakers, const char* provider,
                                         const char* model) noexcept {
  return guarded([&]() -> fuseboard_status {
    if (required(breakers, "breakers").shared->registry.reset(key_of(provider, model))) return FUSEBOARD_OK;
    return fail(FUSEBOARD_NOT_FOUND, "no such breaker");
  });
}

size_t fuseboard_breakers_open_count(const fuseboard_breakers* breakers) noexcept {
  return breakers == nullptr ? 0 : breakers->shared->registry.open_count();
}

bool fuseboard_breakers_should_pause(const fuseboard_breakers* breakers, size_t max_open) noexcept {
  return breakers != nullptr && breakers->shared->registry.should_pause_for_recovery(max_open);
}
