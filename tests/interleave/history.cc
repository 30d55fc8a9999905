// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/interleave/history.h"

#include <numeric>

namespace fuseboard::interleave {
namespace {

constexpr Mask bit(std::size_t operation) noexcept { return Mask{1} << operation; }

std::vector<std::size_t> places_in(const Order& order) {
  std::vector<std::size_t> places(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) places[order[i]] = i;
  return places;
}

}  // namespace

std::vector<Order> orders_of(const std::vector<std::size_t>& operations) {
  // As a sequence of threads; the permutations of that are the orders.
  std::vector<std::size_t> turns;
  for (std::size_t thread = 0; thread < operations.size(); ++thread) {
    turns.insert(turns.end(), operations[thread], thread);
  }
  std::vector<Order> orders;
  do {
    std::vector<std::size_t> next(operations.size());
    std::exclusive_scan(operations.begin(), operations.end(), next.begin(), std::size_t{0});
    Order order;
    for (const std::size_t thread : turns) order.push_back(next[thread]++);
    orders.push_back(std::move(order));
  } while (std::next_permutation(turns.begin(), turns.end()));
  return orders;
}

bool agrees_with_time(const std::vector<Order>& all, const std::vector<Order>& explaining,
                      const std::vector<Mask>& needed) {
  std::vector<std::vector<std::size_t>> places;
  for (const Order& order : explaining) places.push_back(places_in(order));
  return std::all_of(all.begin(), all.end(), [&](const Order& completions) {
    // By operation: those that begin only after it has ended.
    std::vector<Mask> later(completions.size());
    Mask begun = 0;
    for (const std::size_t operation : completions) {
      begun |= needed[operation];
      later[operation] = ~begun;
    }
    return std::any_of(places.begin(), places.end(), [&](const std::vector<std::size_t>& place) {
      for (std::size_t a = 0; a < place.size(); ++a) {
        for (std::size_t b = 0; b < place.size(); ++b) {
          if ((later[a] & bit(b)) != 0 && place[b] < place[a]) return false;
        }
      }
      return true;
    });
  });
}

}  // namespace fuseboard::interleave
