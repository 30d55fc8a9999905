// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Explores operations on an object and checks that each history is linearizable: that the operations, made one after
// the other in some order that keeps what came before what, answer the same and leave the same behind.
//
// The sequential model is the object itself, made anew and used by one thread; that it does what the rules say is held
// by its other tests. What came before what differs between interleavings that the explorer takes for equivalent, so a
// history stands for all of them: see LinearizabilityCheck.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/interleave/explorer.h"

namespace fuseboard::interleave {

// Operations by number, in an order.
using Order = std::vector<std::size_t>;

// What came out: an answer for each operation, and the state at the end.
using Answers = std::vector<std::string>;

// Every order of operations that keeps the order of each thread; `operations` as in Explorer::Program.
std::vector<Order> orders_of(const std::vector<std::size_t>& operations);

// Whether, in each interleaving that is equivalent to the one explored, one of `explaining` agrees with what came
// before what there. `needed`: Explorer::needed_by each operation. If an operation ends before another begins in some
// equivalent interleaving, then so it does in the one that makes the operations complete in the same order and does
// nothing before it is needed; so those are looked at, one for each order of `all`.
bool agrees_with_time(const std::vector<Order>& all, const std::vector<Order>& explaining,
                      const std::vector<Mask>& needed);

// Operations on a World, and the answer of each. The world makes the objects; its text() is the state at the end.
template <typename World>
using Operation = std::function<std::string(World& world)>;
template <typename World>
using Threads = std::vector<std::vector<Operation<World>>>;

template <typename World>
class LinearizabilityCheck {
 public:
  LinearizabilityCheck(Threads<World> threads, std::function<std::unique_ptr<World>()> make)
      : threads_(std::move(threads)), make_(std::move(make)) {
    for (const auto& thread : threads_) {
      first_.push_back(count_);
      sizes_.push_back(thread.size());
      count_ += thread.size();
    }
    all_ = orders_of(sizes_);
    for (const Order& order : all_) explanations_[run_in(order)].push_back(order);
  }

  Explored explore() {
    return explorer_.explore(
        {.operations = sizes_,
         .begin =
             [this] {
               answers_.assign(count_ + 1, "");
               world_ = make_();
             },
         .run = [this](std::size_t thread,
                       std::size_t index) { answers_[first_[thread] + index] = threads_[thread][index](*world_); },
         .end = [this] { return problem(); }});
  }

  // Different outcomes that occurred, and that one thread at a time could have.
  std::size_t outcomes() const { return seen_.size(); }
  std::size_t sequential_outcomes() const { return explanations_.size(); }

 private:
  Answers run_in(const Order& order) {
    Answers answers(count_ + 1);
    const std::unique_ptr<World> world = make_();
    for (const std::size_t operation : order) {
      const std::size_t thread =
          static_cast<std::size_t>(std::upper_bound(first_.begin(), first_.end(), operation) - first_.begin()) - 1;
      answers[operation] = threads_[thread][operation - first_[thread]](*world);
    }
    answers.back() = world->text();
    return answers;
  }

  std::string problem() {
    answers_.back() = world_->text();
    const std::string wrong = world_->wrong();
    world_.reset();
    if (!wrong.empty()) return wrong + told();
    seen_.insert(answers_);
    const auto explaining = explanations_.find(answers_);
    if (explaining == explanations_.end()) return "no order of the operations explains" + told();
    std::vector<Mask> needed;
    for (std::size_t i = 0; i < count_; ++i) needed.push_back(explorer_.needed_by(i));
    if (!checked_.insert({explaining->second, needed}).second) return {};
    if (agrees_with_time(all_, explaining->second, needed)) return {};
    return "no order that keeps what came before what explains" + told();
  }

  std::string told() const {
    std::string text;
    for (const std::string& answer : answers_) text += "\n  " + answer;
    return text;
  }

  const Threads<World> threads_;
  const std::function<std::unique_ptr<World>()> make_;
  std::vector<std::size_t> first_{};  // operation of each thread
  std::vector<std::size_t> sizes_{};
  std::size_t count_ = 0;
  std::vector<Order> all_{};
  std::map<Answers, std::vector<Order>> explanations_{};
  std::set<Answers> seen_{};
  std::set<std::pair<std::vector<Order>, std::vector<Mask>>> checked_{};
  Answers answers_{};
  std::unique_ptr<World> world_{};
  Explorer explorer_{};
};

}  // namespace fuseboard::interleave
