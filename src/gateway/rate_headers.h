// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What answers say about limits on rates: what upstreams tell us, and what callers are told. Pure functions.
//
// OpenAI: x-ratelimit-{limit,remaining,reset}-{requests,tokens}, the reset as "1m30.5s" from now. Anthropic:
// anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}, the reset as a time of RFC 3339. In both it is when
// the whole limit is there again, not when the next call passes: their limits refill all the time.
// Sources: the guides to rate limits of platform.openai.com and docs.anthropic.com.
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"
#include "fuseboard/limit/adaptive.h"
#include "fuseboard/pipeline/target.h"
#include "llm/dialect.h"
#include "net/http.h"

namespace fuseboard::gateway {

// One limit at a moment. What is not known is absent.
struct RateLevel {
  std::optional<std::uint64_t> limit{};
  std::optional<std::uint64_t> remaining{};
  std::optional<Duration> reset_after{};  // until all of it is there again
  friend bool operator==(const RateLevel&, const RateLevel&) = default;
};

struct LimitView {
  RateLevel requests{};
  RateLevel tokens{};
  friend bool operator==(const LimitView&, const LimitView&) = default;
};

// A target's own limits. `limit` is a minute's worth, or what goes at once if that is more; with an adaptive rate it is
// the rate of now. While a server's word closes the target, no requests remain. Allocates nothing.
LimitView limit_view(TimePoint now, TargetState& state);

// The same for a call that these limits rejected: nothing remains of what it lacked. That is tokens where requests
// remain and tokens are limited, else requests. The reset is no earlier than the rejection's wait. Other rejections
// change nothing.
LimitView rejected_view(LimitView own, const Rejection& rejection);

// Whether there is anything to read for the next function.
bool tells_rates(const net::Headers& headers) noexcept;

// What an upstream's answer says, in its dialect's headers or, where it has none of those, in the other's. Resets are
// read in any form: "1m30.5s", seconds, a Unix time, RFC 3339; what cannot be read is absent.
LimitView read_rate_headers(WallTime now, llm::Dialect upstream, const net::Headers& headers);

// The same after that much time: the resets are nearer.
LimitView aged(LimitView view, Duration passed) noexcept;

// What an adaptive limit and the gate learn from that [LIM-4]; nullopt where it says too little.
// - While half the limit remains there is no bound: one would cost the bucket its burst.
// - After that the server takes `limit` calls until the reset: what remains, and what comes back meanwhile.
// - Nothing remains: closed until one comes back.
// Without a limit beside it, what remains is taken as all until the reset. Tokens bound no calls; a server that has
// none left says how long to wait.
std::optional<ServerWindow> server_window(const LimitView& upstream);

// Whose limits an answer tells of.
struct RateSources {
  llm::Dialect dialect = llm::Dialect::openai;  // of the upstream; the caller's where none answered
  LimitView upstream{};
  LimitView own{};
};

// Says it to a caller. Of each kind the source with less remaining is told, with its own limit and reset; of two alike
// the later reset. An upstream of the caller's dialect that is told stays byte for byte as it is in `answer`; of an
// upstream of the other dialect every such header is removed and said again.
void set_rate_headers(WallTime now, net::Headers& answer, llm::Dialect caller, const RateSources& sources);

}  // namespace fuseboard::gateway
