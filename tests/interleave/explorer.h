// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Runs a few threads in every order that makes a difference.
//
// The threads are fibers of one thread of the machine, and each step (see primitives.h) is a place to change over. Two
// steps are independent if they touch different places or only read; interleavings that differ in the order of
// independent steps alone lead to the same, so of each such class one is run. How: dynamic partial-order reduction with
// source sets and sleep sets (Abdulla, Aronis, Jonsson, Sagonas, "Optimal dynamic partial order reduction", POPL 2014,
// algorithm 1). Nothing is sampled and nothing is bounded: the search ends when all classes have been run.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/interleave/primitives.h"

namespace fuseboard::interleave {

inline constexpr std::size_t kMaxThreads = 4;

// For each thread, how many of its steps happened before.
using VectorClock = std::array<std::uint32_t, kMaxThreads>;

// A set of threads, or of operations.
using Mask = std::uint32_t;

struct Explored {
  std::uint64_t schedules = 0;  // complete runs: one for each class of equivalent interleavings
  std::uint64_t states = 0;     // different places of the search in which a thread was chosen
  std::uint64_t steps = 0;      // made in all runs together
  std::uint64_t cut = 0;        // runs given up since all that could follow had been run
  std::string failure{};        // why it ended early, with the schedule; empty if it did not

  Explored& operator+=(const Explored& other);
};

class Explorer {
 public:
  struct Program {
    // How many operations each thread has; at most kMaxThreads, and 32 operations together.
    std::vector<std::size_t> operations{};
    // Before each run, and operation `index` of thread `thread`. In between nothing may depend on anything but these.
    std::function<void()> begin{};
    std::function<void(std::size_t thread, std::size_t index)> run{};
    // After each complete run: what is wrong with it, or nothing.
    std::function<std::string()> end{};
  };

  Explorer();
  ~Explorer();
  Explorer(const Explorer&) = delete;
  Explorer& operator=(const Explorer&) = delete;

  // Runs until every class is done or `end` finds something wrong, or threads wait for each other. With `reduce` off it
  // runs every single interleaving: for tests of the reduction.
  Explored explore(Program program, bool reduce = true);

  // In `end`: the operations that had begun before the given one's last step could be made, itself among them; by bits
  // of the operation's number, counted through from the first thread's first. The same for all equivalent runs.
  Mask needed_by(std::size_t operation) const { return needed_.at(operation); }

  // For primitives.h.
  static Explorer* running() noexcept;
  void reach(Access access, const void* where, const bool* held);
  void release(const void* where);
  std::size_t current_thread() const noexcept { return current_; }

 private:
  struct Fiber;

  struct Step {
    Access access = Access::read;
    const void* where = nullptr;
    const bool* held = nullptr;  // of a mutex
  };
  struct Event {
    std::size_t thread = 0;
    Step step{};
    std::uint32_t index = 0;  // among its thread's, from 1
    VectorClock clock{};      // after it
  };
  // A state of the search, reached by the choices before it.
  struct Node {
    Mask enabled = 0;
    Mask sleep = 0;      // what they would lead to has been run
    Mask backtrack = 0;  // to be tried
    std::size_t chosen = 0;
  };
  // What the steps of this run did to one atomic or mutex.
  struct Place {
    static constexpr std::size_t kNone = ~std::size_t{0};
    std::size_t last_write = kNone;                                                 // or the last lock
    std::array<std::size_t, kMaxThreads> last_read = {kNone, kNone, kNone, kNone};  // since then
    VectorClock unlocked{};
  };
  static constexpr std::size_t kNobody = ~std::size_t{0};

  // Fibers.
  static void enter();
  void run_operations();
  void change_to(std::size_t thread);
  void hand_over();
  void run_once();

  // Choosing.
  std::size_t choose();
  Mask enabled_threads() const;
  Node& node_for(Mask enabled);
  Mask sleep_after(const Node& node) const;
  bool independent(const Step& a, const Step& b) const noexcept;
  bool next_branch();

  // What happened before what.
  void make_step(std::size_t thread);
  std::vector<std::size_t> conflicts_of(std::size_t thread, const Step& step, const Place& place) const;
  void note_races(const Event& event, const std::vector<std::size_t>& conflicts, const VectorClock& before);
  void reverse_race(std::size_t earlier, const Event& later);
  void note_operations();

  std::string schedule_text() const;

  Program program_{};
  bool reduce_ = true;
  Explored explored_{};
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::unique_ptr<Fiber> main_;
  std::size_t current_ = kNobody;
  std::size_t started_ = 0;
  bool cutting_ = false;

  std::vector<Node> path_{};
  Mask sleep_ = 0;  // of the state that comes next
  std::vector<Event> events_{};
  std::unordered_map<const void*, Place> places_{};
  std::array<VectorClock, kMaxThreads> clocks_{};
  std::vector<Mask> needed_{};
};

}  // namespace fuseboard::interleave
