// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/tool_limiter.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "fuseboard/limit/priority.h"
#include "fuseboard/limit/token_bucket.h"

namespace fuseboard {
namespace {

constexpr double kMinToolBurst = 5.0;
constexpr double kSecondsPerMinute = 60.0;
constexpr double kMinPerMinute = 1e-4;
constexpr double kMaxPerMinute = kMaxTokens * kSecondsPerMinute;
constexpr std::size_t kMaxKeys = 1'000'000;

// nullopt unless all of the text, blanks around it apart, is one number.
std::optional<double> number_in(std::string_view text) noexcept {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

double ToolLimiterOptions::tool_burst() const noexcept {
  return burst.value_or(std::clamp(rate, kMinToolBurst, kMaxTokens));
}

double ToolLimiterOptions::process_burst() const noexcept {
  const double minute = std::clamp(process_calls_per_minute.value_or(1.0), 1.0, kMaxTokens);
  return std::min(std::max(minute / kSecondsPerMinute, kMinToolBurst), minute);
}

Problems ToolLimiterOptions::validate() const {
  Validator validator;
  validator.in_range("rate", rate, kMinRate, kMaxTokens);
  if (burst) validator.in_range("burst", *burst, 1.0, kMaxTokens);
  if (process_calls_per_minute) {
    validator.in_range("process_calls_per_minute", *process_calls_per_minute, kMinPerMinute, kMaxPerMinute);
  }
  validator.in_range("max_keys", max_keys, std::size_t{1}, kMaxKeys);
  return std::move(validator).take();
}

ToolLimiterOptions tool_limiter_options_from(const EnvironmentVariables& environment,
                                             const std::function<void(std::string_view)>& warn,
                                             ToolLimiterOptions base) {
  std::string ignored;
  const auto read = [&](std::string_view variable, double least, double most) -> std::optional<double> {
    const std::optional<std::string> text = environment(variable);
    if (!text) return std::nullopt;
    const std::optional<double> value = number_in(*text);
    // Written so that NaN is ignored.
    if (value && *value >= least && *value <= most) return value;
    ignored += ignored.empty() ? "ignored, not a number in the allowed range: " : ", ";
    ignored += variable;
    return std::nullopt;
  };
  if (const auto rate = read("FUSEBOARD_TOOL_RATE_LIMIT", kMinRate, kMaxTokens)) base.rate = *rate;
  if (const auto burst = read("FUSEBOARD_TOOL_BURST", 1.0, kMaxTokens)) base.burst = burst;
  if (const auto calls = read("FUSEBOARD_TOOL_CALLS_PER_MIN", kMinPerMinute, kMaxPerMinute)) {
    base.process_calls_per_minute = calls;
  }
  if (!ignored.empty() && warn) warn(ignored);
  return base;
}

ToolLimiter::ToolLimiter(const ToolLimiterOptions& options, std::uint64_t seed)
    : options_(checked(options)),
      gate_rate_(options_.process_calls_per_minute.value_or(0.0) / kSecondsPerMinute),
      jitter_(seed),
      gate_("", options_.process_burst()),
      shared_("", options_.tool_burst()) {}

ToolLimiter::~ToolLimiter() = default;

double ToolLimiter::rate_at(double speed) const noexcept {
  // Written so that NaN is the least.
  const double factor = speed > kMinSpeed ? std::min(speed, kMaxSpeed) : kMinSpeed;
  return std::min(options_.rate * factor, kMaxTokens);
}

ToolLimiter::Bucket& ToolLimiter::find_or_create(const KeyView& tool) {
  const std::uint64_t key_hash = hash(tool);
  if (Bucket* const known = index_.find(tool, key_hash)) return *known;
  // A full registry is asked for new tools again and again: they must not queue for the lock.
  if (size() < options_.max_keys) {
    const MutexLock lock(mutex_);
    if (Bucket* const known = index_.find(tool, key_hash)) return *known;
    if (buckets_.size() < options_.max_keys) {
      index_.reserve_one();
      buckets_.push_back(std::make_unique<Bucket>(tool, options_.tool_burst()));
      index_.insert(*buckets_.back(), key_hash);
      size_.store(buckets_.size(), std::memory_order_relaxed);
      return *buckets_.back();
    }
  }
  shared_calls_.fetch_add(1, std::memory_order_relaxed);
  return shared_;
}

std::expected<ToolGrant, Rejection> ToolLimiter::try_acquire(TimePoint now, KeyView tool, double speed) {
  Bucket& bucket = find_or_create(tool);
  const double rate = rate_at(speed);
  ToolGrant grant;
  Duration wait = Duration::zero();
  {
    const MutexLock lock(bucket.mutex);
    bucket.level.advance(now, rate);
    wait = bucket.level.time_until(1.0, 0.0, rate);
    if (options_.process_calls_per_minute) {
      const MutexLock gate_lock(gate_.mutex);
      wait = std::max(wait, gate_wait_locked(now));
      if (wait == Duration::zero()) gate_.level.take(1.0);
      grant.gate_filling_ = gate_.level.filling();
    }
    if (wait == Duration::zero()) bucket.level.take(1.0);
    grant.filling_ = bucket.level.filling();
  }
  if (wait == Duration::zero()) return grant;
  return std::unexpected(Rejection{.reason = RejectionReason::rate_limited,
                                   .key = to_key_text(tool),
                                   .retry_after = spread_wait(wait, Priority::normal, jitter_)});
}

Duration ToolLimiter::gate_wait_locked(TimePoint now) {
  gate_.level.advance(now, gate_rate_);
  return gate_.level.time_until(1.0, 0.0, gate_rate_);
}

bool ToolLimiter::is_limited(TimePoint now, KeyView tool, double speed) const {
  // Copies are advanced: a question must not use up the time that a faster call would have refilled faster.
  const auto would_reject = [now](const Bucket& bucket, double rate) {
    const MutexLock lock(bucket.mutex);
    RefillingLevel then = bucket.level;
    then.advance(now, rate);
    return !then.has(1.0);
  };
  const Bucket* const known = find(tool);
  const bool shares = known == nullptr && size() >= options_.max_keys;
  if (known != nullptr && would_reject(*known, rate_at(speed))) return true;
  if (shares && would_reject(shared_, rate_at(speed))) return true;
  return options_.process_calls_per_minute && would_reject(gate_, gate_rate_);
}

void ToolLimiter::release(KeyView tool, const ToolGrant& grant) {
  Bucket* const known = find(tool);
  Bucket& bucket = known != nullptr ? *known : shared_;
  const MutexLock lock(bucket.mutex);
  bucket.level.put(1.0, grant.filling_);
  if (!options_.process_calls_per_minute) return;
  const MutexLock gate_lock(gate_.mutex);
  gate_.level.put(1.0, grant.gate_filling_);
}

bool ToolLimiter::reset(KeyView tool) {
  Bucket* const known = find(tool);
  if (known == nullptr) return false;
  const MutexLock lock(known->mutex);
  known->level.fill();
  return true;
}

void ToolLimiter::reset_all() {
  std::vector<Bucket*> all = {&gate_, &shared_};
  {
    const MutexLock lock(mutex_);
    for (const auto& bucket : buckets_) all.push_back(bucket.get());
  }
  for (Bucket* const bucket : all) {
    const MutexLock lock(bucket->mutex);
    bucket->level.fill();
  }
}

}  // namespace fuseboard
