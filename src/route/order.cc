// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/order.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"ordered", "weighted", "least_latency"};

struct Ranked {
  double rank = 0.0;  // the least is asked first
  std::uint8_t target = 0;
};

// Candidates that may be preferred, apart from those with a weight of zero.
class Ranking {
 public:
  explicit Ranking(std::span<const RouteCandidate> candidates) : candidates_(candidates) {}

  template <typename Rank>
  void rank(Rank rank_of) {
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (has_share(candidates_[i]))
        ranked_[size_++] = {.rank = rank_of(candidates_[i]), .target = static_cast<std::uint8_t>(i)};
    }
  }

  std::span<Ranked> all() noexcept { return {ranked_.data(), size_}; }

  void sort(std::size_t from) noexcept {
    std::sort(
        ranked_.begin() + static_cast<std::ptrdiff_t>(from), ranked_.begin() + static_cast<std::ptrdiff_t>(size_),
        [](const Ranked& a, const Ranked& b) { return std::pair(a.rank, a.target) < std::pair(b.rank, b.target); });
  }

  TargetOrder order() const noexcept {
    TargetOrder order;
    for (std::size_t i = 0; i < size_; ++i) order.push_back(ranked_[i].target);
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (!has_share(candidates_[i])) order.push_back(i);
    }
    return order;
  }

 private:
  static bool has_share(const RouteCandidate& candidate) noexcept { return candidate.weight > 0.0; }

  std::span<const RouteCandidate> candidates_;
  std::array<Ranked, kMaxTargets> ranked_{};
  std::size_t size_ = 0;
};

// An exponentially distributed time of rate `weight` each, in the order of their ends: the minimum of such times is the
// i-th with probability weight_i / sum of the weights, and the rest of the race is the same again without it.
// Efraimidis, Spirakis: "Weighted random sampling with a reservoir", Information Processing Letters 97, 2006.
void rank_by_weight(Ranking& ranking, Rng& rng) {
  ranking.rank([&rng](const RouteCandidate& candidate) { return -std::log(1.0 - rng.uniform()) / candidate.weight; });
  ranking.sort(0);
}

void rank_by_latency(TimePoint now, Ranking& ranking, Rng& rng) {
  ranking.rank([now](const RouteCandidate& candidate) {
    return candidate.latency == nullptr ? 0.0 : candidate.latency->load(now);
  });
  const std::span<Ranked> all = ranking.all();
  if (all.size() > 2) {
    const std::size_t one = rng.below(all.size());
    std::size_t other = rng.below(all.size() - 1);
    if (other >= one) ++other;
    const auto [first, second] = std::minmax(one, other);
    std::swap(all[0], all[all[second].rank < all[first].rank ? second : first]);
    ranking.sort(1);
  } else {
    ranking.sort(0);  // both are the two choices
  }
}

}  // namespace

std::string_view name(Strategy strategy) noexcept { return kNames[static_cast<std::size_t>(strategy)]; }

std::optional<Strategy> strategy_from_name(std::string_view name) noexcept {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Strategy>(found - kNames.begin());
}

TargetOrder choose_order(TimePoint now, Strategy strategy, std::span<const RouteCandidate> candidates,
                         Rng& rng) noexcept {
  check_invariant(candidates.size() <= kMaxTargets, "a plan has more targets than can be ordered");
  if (strategy == Strategy::ordered) {
    TargetOrder order;
    for (std::size_t i = 0; i < candidates.size(); ++i) order.push_back(i);
    return order;
  }
  Ranking ranking(candidates);
  if (strategy == Strategy::weighted) {
    rank_by_weight(ranking, rng);
  } else {
    rank_by_latency(now, ranking, rng);
  }
  return ranking.order();
}

}  // namespace fuseboard
