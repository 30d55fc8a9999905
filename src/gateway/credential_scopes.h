// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of a provider's credential can be parked, and for whom a refusal speaks [FBK-6].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fuseboard/core/category.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/time.h"
#include "fuseboard/limit/caller_throttles.h"
#include "net/http.h"

namespace fuseboard::gateway {

// Something that rests at the moment.
struct ParkedCredential {
  enum class Part : std::uint8_t { credential, model, endpoint };

  std::string provider;
  Part part = Part::credential;
  std::string name{};            // the model's, or the endpoint's path; of the credential: empty
  Duration remaining{};          // until one attempt is let through as a probe; 0: the next one is
  Duration parked_for{};         // since the first refusal
  Category reason{};             // of the latest refusal: authentication or quota_exhausted
  bool probe_in_flight = false;  // and nobody else passes until it ends
  std::uint64_t denials = 0;     // attempts that were refused here, ever
};
std::string_view name(ParkedCredential::Part part) noexcept;

// The number of an upstream's path ("/v1/embeddings", or without its version) among those that are told apart, see
// CredentialUse. All paths that are not known share one.
std::uint8_t endpoint_number(std::string_view path) noexcept;
// As callers write it; "other" for the paths that share a number.
std::string_view endpoint_path(std::uint8_t number) noexcept;

// Who a caller is to providers that are given its own credential. A hash: nobody finds a credential by it.
CallerHash caller_hash(const net::Headers& caller);

// Whether the request that was sent names an account that its caller chose: an organization or a project.
bool names_callers_account(const net::Headers& caller, const net::Headers& sent) noexcept;

// For whom a failure speaks, given that: an account of the caller's is nobody else's, and what is said of a header that
// the caller did not send speaks of ours, and so of the credential.
FailureScope scope_here(const Failure& failure, bool callers_account) noexcept;

}  // namespace fuseboard::gateway
