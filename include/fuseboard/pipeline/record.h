// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What happened to one call, from its first look at a breaker to its end: its explanation [PIP-6]. Everything that
// reports on calls reads this.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fuseboard/budget/report.h"
#include "fuseboard/core/bounded_list.h"
#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"
#include "fuseboard/route/order.h"

namespace fuseboard {

// Why a call ended.
enum class Ending : std::uint8_t {
  success,
  failed,             // one failure that neither a retry nor another target could mend: pass it through as it is
  retries_exhausted,  // every try that was allowed has failed
  deadline_exceeded,  // the overall deadline passed before an answer began
  interrupted,        // the answer had begun and broke off, and nothing mended it
  cancelled,          // the caller went away
  // Nothing was sent. Of several reasons, the one that passes soonest.
  circuit_open,
  rate_limited,
  queue_full,
  budget_exceeded,
  credential_parked,
  no_target,  // none that the call could use
};
inline constexpr std::size_t kEndingCount = 12;
std::string_view name(Ending ending) noexcept;

struct AttemptRecord {
  std::uint32_t number = 0;            // 1 is the first of the call
  std::uint32_t target = 0;            // index into the plan's targets
  bool probe = false;                  // it probed a half-open circuit
  bool hedge = false;                  // it started beside another that took longer than most [RTY-9]
  bool company = false;                // it started beside others that had outlasted their patience [RTY-11]
  bool overtaken = false;              // it had outlasted its patience, and its company answered
  bool cut = false;                    // its call's deadline ended it, not its own limits
  bool recovery = false;               // it was to mend an answer that had begun and broken off [STR-5]
  bool unusable = false;               // its answer does not go on as that one began: of no use
  bool answered = false;               // an answer of the target was read, good or bad
  bool resent = false;                 // over a fresh connection, as the kept one had died
  std::uint16_t status = 0;            // of the target's answer; 0: there was none, or its driver does not say
  std::uint32_t skipped_events = 0;    // of its stream, which were malformed and left out
  std::optional<Failure> failure{};    // nullopt: success; of an unusable answer, a neutral one
  Verdict verdict = Verdict::success;  // of the target's own breaker
  Duration waited = Duration::zero();  // before it started
  TimePoint started{};
  Duration duration = Duration::zero();
  std::optional<Duration> first_sign{};       // of work, after its start: before its first content, where it came first
  std::optional<Duration> first_content{};    // after its start
  std::optional<TokenUsage> usage{};          // as its answer said
  std::optional<BudgetSettlement> charged{};  // where somebody counts
};

// An attempt that was not sent: refused locally.
struct RejectionRecord {
  std::uint32_t target = 0;
  RejectionReason reason = RejectionReason::circuit_open;
  std::optional<Duration> retry_after{};
  std::uint32_t consecutive_failures = 0;  // of a breaker
  std::optional<Category> last_failure{};  // that the breaker counted, or that rules the target out
  // Of a budget: what was short, and its numbers in the kind's unit.
  std::optional<BudgetKind> kind{};
  BudgetLevel level = BudgetLevel::global;
  std::uint64_t consumed = 0;
  std::uint64_t reserved = 0;
  std::uint64_t requested = 0;
  std::uint64_t limit = 0;
};

enum class WaitReason : std::uint8_t {
  backoff,    // before another try
  recovery,   // of a circuit
  admission,  // tokens or a place
};
std::string_view name(WaitReason reason) noexcept;

struct WaitRecord {
  std::uint32_t target = 0;
  WaitReason reason = WaitReason::backoff;
  TimePoint began{};
  Duration duration = Duration::zero();
};

enum class CacheUse : std::uint8_t {
  bypass,  // not asked
  miss,    // asked in vain
  hit,     // answered from the store
  shared,  // answered by another call in flight
};
std::string_view name(CacheUse use) noexcept;

// What callers know their call by; a longer one is cut.
using CallId = BoundedText<63>;

// Whose call it is and what it asks for, in the words of whoever runs it; what is too long is cut. No credential.
struct CallOrigin {
  BoundedText<39> caller{};    // the name of the caller's key; empty: none
  BoundedText<15> dialect{};   // that the caller speaks: "openai"
  BoundedText<39> endpoint{};  // "/v1/chat/completions"
};

// The call as a whole. Trivially copyable.
struct CallSummary {
  CallOrigin origin{};
  TimePoint started{};
  TimePoint ended{};
  Ending ending = Ending::cancelled;
  CacheUse cache = CacheUse::bypass;
  bool hedged = false;
  std::uint32_t attempts_sent = 0;
  std::uint32_t company = 0;                       // attempts that kept others company
  std::uint32_t throttled = 0;                     // attempts that met a rate limit
  std::optional<std::uint32_t> served_by{};        // target index of the answer the caller got, or got last
  std::optional<std::uint32_t> primary_attempt{};  // number of the attempt whose error the caller should see
  std::optional<Duration> retry_after{};           // a wait after which asking again is worthwhile
  std::uint16_t status = 0;                        // that the caller is told; 0: nothing, or its driver does not say
  bool shut_down = false;                          // cancelled because the program stops, not by its caller
  TargetOrder candidates{};                        // in the order of this call

  Duration duration() const noexcept { return elapsed(started, ended); }
};

// What is known of an attempt beyond its numbers, in the words of its driver. Holds no secret and no content.
struct AttemptNote {
  std::uint32_t attempt = 0;              // its number
  BoundedText<199> cause{};               // of its failure, in words; empty: its category says all
  BoundedText<63> upstream_request_id{};  // what its target calls the request; empty: it did not say
};

// How a call ended for its caller, as its driver knows.
struct CallerResult {
  std::uint16_t status = 0;                  // see CallSummary
  bool shut_down = false;                    // see CallSummary
  std::span<const std::string> not_asked{};  // of each target that could not be asked, its name and why, in words
};

// And what happened in it, in order. Trivially copyable and bounded: of each list the first entries and the last one.
struct CallRecord : CallSummary {
  BoundedList<AttemptRecord, 16> attempts;
  BoundedList<RejectionRecord, 16> rejections;
  BoundedList<WaitRecord, 16> waits;
  BoundedList<AttemptNote, 6> notes;           // of the attempts of which there is one
  BoundedList<BoundedText<199>, 4> not_asked;  // see CallerResult

  // Of all attempts that told one; nullopt: none did.
  std::optional<TokenUsage> usage() const noexcept;

  // The attempt whose error the caller should see; nullptr: there is none, or the record does not hold it.
  const AttemptRecord* primary() const noexcept {
    const AttemptRecord* const found = std::find_if(
        attempts.begin(), attempts.end(), [this](const AttemptRecord& it) { return it.number == primary_attempt; });
    return found == attempts.end() ? nullptr : found;
  }

  // Of the attempt of that number; nullptr: there is none.
  const AttemptNote* note_of(std::uint32_t attempt) const noexcept {
    const AttemptNote* const found = std::find_if(
        notes.begin(), notes.end(), [attempt](const AttemptNote& note) { return note.attempt == attempt; });
    return found == notes.end() ? nullptr : found;
  }
};

// A move from one target to another [FBK-5].
struct FallbackRecord {
  std::uint32_t from = 0;  // target indices
  std::uint32_t to = 0;
  // What went wrong at the first: a failure's category, or nothing where it refused before anything was sent.
  std::optional<Category> category{};
  bool success = false;  // the second answered
};

// Every fallback of the call, in order, among the attempts that the record holds.
BoundedList<FallbackRecord, 16> fallbacks_of(const CallRecord& record) noexcept;

// Attempts on the target that had just failed, among those that the record holds. As with fallbacks, hedges and company
// follow nothing, and nothing follows them but where they have shown content.
std::uint32_t retries_of(const CallRecord& record) noexcept;

}  // namespace fuseboard
