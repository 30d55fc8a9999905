// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/interleave/explorer.h"

#include <ucontext.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard::interleave {
namespace {

constexpr std::size_t kStackBytes = std::size_t{256} * 1024;
// A run that takes more waits for something that no other thread will do.
constexpr std::size_t kMaxSteps = 10'000;

Explorer* g_running = nullptr;

constexpr Mask bit(std::size_t position) noexcept { return Mask{1} << position; }

void join(VectorClock& into, const VectorClock& other) noexcept {
  for (std::size_t i = 0; i < kMaxThreads; ++i) into[i] = std::max(into[i], other[i]);
}

std::size_t lowest(Mask mask) noexcept { return static_cast<std::size_t>(__builtin_ctz(mask)); }

}  // namespace

void step(Access access, const void* where, const bool* held) {
  if (Explorer* const explorer = Explorer::running()) explorer->reach(access, where, held);
}

void unlocked(const void* where) {
  if (Explorer* const explorer = Explorer::running()) explorer->release(where);
}

std::uint32_t current_slot() noexcept {
  const Explorer* const explorer = Explorer::running();
  return explorer == nullptr ? 1 : static_cast<std::uint32_t>(explorer->current_thread()) + 2;
}

Explored& Explored::operator+=(const Explored& other) {
  schedules += other.schedules;
  states += other.states;
  steps += other.steps;
  cut += other.cut;
  if (failure.empty()) failure = other.failure;
  return *this;
}

struct Explorer::Fiber {
  ucontext_t context{};
  std::vector<char> stack{};
  std::optional<Step> next{};           // where it waits; nothing once it has ended
  std::vector<std::uint32_t> begins{};  // of each operation: the index of its first step
  std::vector<VectorClock> ends{};      // of each operation
};

Explorer::Explorer() : main_(std::make_unique<Fiber>()) {}
Explorer::~Explorer() = default;

Explorer* Explorer::running() noexcept { return g_running; }

Explored Explorer::explore(Program program, bool reduce) {
  check_invariant(g_running == nullptr, "one exploration at a time");
  check_invariant(program.operations.size() <= kMaxThreads, "no more than kMaxThreads threads");
  program_ = std::move(program);
  reduce_ = reduce;
  explored_ = {};
  path_.clear();
  fibers_.clear();
  for (std::size_t i = 0; i < program_.operations.size(); ++i) {
    fibers_.push_back(std::make_unique<Fiber>());
    fibers_.back()->stack.resize(kStackBytes);
  }
  do {
    run_once();
  } while (explored_.failure.empty() && next_branch());
  return explored_;
}

void Explorer::run_once() {
  events_.clear();
  places_.clear();
  clocks_ = {};
  sleep_ = 0;
  cutting_ = false;
  program_.begin();
  for (const auto& fiber : fibers_) {
    fiber->next = std::nullopt;
    fiber->begins.clear();
    fiber->ends.clear();
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack.data();
    fiber->context.uc_stack.ss_size = fiber->stack.size();
    fiber->context.uc_link = nullptr;
    makecontext(&fiber->context, &Explorer::enter, 0);
  }
  g_running = this;
  started_ = 1;
  current_ = 0;
  swapcontext(&main_->context, &fibers_[0]->context);
  g_running = nullptr;
  current_ = kNobody;
  if (!explored_.failure.empty()) return;
  if (cutting_) {
    ++explored_.cut;
    return;
  }
  ++explored_.schedules;
  note_operations();
  explored_.failure = program_.end();
  if (!explored_.failure.empty()) explored_.failure += "\nafter " + schedule_text();
}

// Fibers.

void Explorer::enter() {
  g_running->run_operations();
  g_running->hand_over();
}

void Explorer::run_operations() {
  const std::size_t thread = current_;
  for (std::size_t i = 0; i < program_.operations[thread]; ++i) {
    fibers_[thread]->begins.push_back(clocks_[thread][thread] + 1);
    program_.run(thread, i);
    fibers_[thread]->ends.push_back(clocks_[thread]);
  }
  fibers_[thread]->next = std::nullopt;
}

void Explorer::reach(Access access, const void* where, const bool* held) {
  fibers_[current_]->next = Step{.access = access, .where = where, .held = held};
  hand_over();
}

// Returns when this fiber's turn has come. At first each fiber runs up to its first step, so that all are known.
void Explorer::hand_over() {
  const std::size_t next = started_ < fibers_.size() ? started_++ : choose();
  change_to(next);
}

void Explorer::change_to(std::size_t thread) {
  Fiber& from = *fibers_[current_];
  if (thread == current_) return;
  current_ = thread;
  swapcontext(&from.context, thread == kNobody ? &main_->context : &fibers_[thread]->context);
}

void Explorer::release(const void* where) { places_[where].unlocked = clocks_[current_]; }

// Choosing.

// The thread whose step is next, made as far as the books are concerned; kNobody when all have ended.
std::size_t Explorer::choose() {
  const Mask enabled = enabled_threads();
  if (enabled == 0) {
    const bool all_ended = std::none_of(fibers_.begin(), fibers_.end(), [](const auto& fiber) { return fiber->next; });
    if (!all_ended) explored_.failure = "the threads wait for each other after " + schedule_text();
    return kNobody;
  }
  if (events_.size() >= kMaxSteps) {
    explored_.failure = "no end after " + schedule_text();
    return kNobody;
  }
  std::size_t thread = lowest(enabled);
  if (!cutting_) {
    const std::size_t depth = events_.size();
    if (depth == path_.size() && (enabled & ~sleep_) == 0) {
      // Whatever follows has been run. The fibers have to end all the same.
      cutting_ = true;
    } else {
      const Node& node = node_for(enabled);
      thread = node.chosen;
      sleep_ = sleep_after(node);
    }
  }
  make_step(thread);
  return thread;
}

Mask Explorer::enabled_threads() const {
  Mask enabled = 0;
  for (std::size_t i = 0; i < fibers_.size(); ++i) {
    const std::optional<Step>& next = fibers_[i]->next;
    if (next && (next->access != Access::lock || !*next->held)) enabled |= bit(i);
  }
  return enabled;
}

// The state of the search at this depth: a known one on the way that is run again, or a new one.
Explorer::Node& Explorer::node_for(Mask enabled) {
  const std::size_t depth = events_.size();
  if (depth < path_.size()) {
    check_invariant(path_[depth].enabled == enabled, "a run is determined by its schedule");
    return path_[depth];
  }
  ++explored_.states;
  const Mask awake = enabled & ~sleep_;
  // To go on with the same thread costs no change of fiber.
  const std::size_t chosen = current_ != kNobody && (awake & bit(current_)) != 0 ? current_ : lowest(awake);
  path_.push_back(
      {.enabled = enabled, .sleep = sleep_, .backtrack = reduce_ ? bit(chosen) : enabled, .chosen = chosen});
  return path_.back();
}

// Threads that sleep go on sleeping until something is done that their step depends on.
Mask Explorer::sleep_after(const Node& node) const {
  if (!reduce_) return 0;
  Mask sleep = 0;
  for (std::size_t i = 0; i < fibers_.size(); ++i) {
    if ((node.sleep & bit(i)) == 0 || i == node.chosen) continue;
    if (independent(*fibers_[i]->next, *fibers_[node.chosen]->next)) sleep |= bit(i);
  }
  return sleep;
}

bool Explorer::independent(const Step& a, const Step& b) const noexcept {
  return a.where != b.where || (a.access == Access::read && b.access == Access::read);
}

// Sets the path up for the next run; false if there is none.
bool Explorer::next_branch() {
  while (!path_.empty()) {
    Node& node = path_.back();
    node.sleep |= bit(node.chosen);
    const Mask left = node.backtrack & ~node.sleep;
    if (left != 0) {
      node.chosen = lowest(left);
      return true;
    }
    path_.pop_back();
  }
  return false;
}

// What happened before what.

void Explorer::make_step(std::size_t thread) {
  ++explored_.steps;
  const Step step = *fibers_[thread]->next;
  Place& place = places_[step.where];
  VectorClock& clock = clocks_[thread];
  const VectorClock before = clock;
  const std::vector<std::size_t> conflicts = conflicts_of(thread, step, place);
  for (const std::size_t earlier : conflicts) join(clock, events_[earlier].clock);
  if (step.access == Access::lock) join(clock, place.unlocked);
  ++clock[thread];
  const Event event{.thread = thread, .step = step, .index = clock[thread], .clock = clock};
  if (!cutting_ && reduce_) note_races(event, conflicts, before);
  if (step.access == Access::read) {
    place.last_read[thread] = events_.size();
  } else {
    place.last_write = events_.size();
    place.last_read.fill(Place::kNone);
  }
  events_.push_back(event);
}

// The latest steps of other threads that this one depends on directly.
std::vector<std::size_t> Explorer::conflicts_of(std::size_t thread, const Step& step, const Place& place) const {
  std::vector<std::size_t> conflicts;
  const auto add = [&](std::size_t event) {
    if (event != Place::kNone && events_[event].thread != thread) conflicts.push_back(event);
  };
  add(place.last_write);
  if (step.access != Access::read) std::for_each(place.last_read.begin(), place.last_read.end(), add);
  return conflicts;
}

// A race: two dependent steps with nothing between them that keeps their order. It can happen the other way round too.
void Explorer::note_races(const Event& event, const std::vector<std::size_t>& conflicts, const VectorClock& before) {
  for (const std::size_t earlier : conflicts) {
    const auto orders = [&](const VectorClock& clock) {
      return clock[events_[earlier].thread] >= events_[earlier].index;
    };
    const bool kept = orders(before) || std::any_of(conflicts.begin(), conflicts.end(), [&](std::size_t other) {
                        return other != earlier && orders(events_[other].clock);
                      });
    if (!kept) reverse_race(earlier, event);
  }
}

// Sees to it that from the state before `earlier` a run is made in which `later` comes first: with one of the threads
// that can begin it, were `earlier` and all that depends on it left out.
void Explorer::reverse_race(std::size_t earlier, const Event& later) {
  const Event& first = events_[earlier];
  std::vector<const Event*> others;
  for (std::size_t i = earlier + 1; i < events_.size(); ++i) {
    if (events_[i].clock[first.thread] < first.index) others.push_back(&events_[i]);
  }
  others.push_back(&later);
  Mask initials = 0;
  Mask seen = 0;
  for (std::size_t i = 0; i < others.size(); ++i) {
    if ((seen & bit(others[i]->thread)) != 0) continue;
    seen |= bit(others[i]->thread);
    const bool can_begin =
        std::none_of(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](const Event* before) { return others[i]->clock[before->thread] >= before->index; });
    if (can_begin) initials |= bit(others[i]->thread);
  }
  Mask& backtrack = path_[earlier].backtrack;
  if ((backtrack & initials) != 0) return;
  backtrack |= (initials & bit(later.thread)) != 0 ? bit(later.thread) : bit(lowest(initials));
}

void Explorer::note_operations() {
  needed_.clear();
  for (const auto& fiber : fibers_) {
    for (const VectorClock& end : fiber->ends) {
      Mask needed = bit(needed_.size());
      std::size_t operation = 0;
      for (std::size_t other = 0; other < fibers_.size(); ++other) {
        for (const std::uint32_t begins : fibers_[other]->begins) {
          if (begins <= end[other]) needed |= bit(operation);
          ++operation;
        }
      }
      needed_.push_back(needed);
    }
  }
}

// Which thread made how many steps on what, in the order of the run; places are numbered as they appear.
std::string Explorer::schedule_text() const {
  static constexpr std::array<const char*, 3> kNames = {"reads", "writes", "locks"};
  std::unordered_map<const void*, std::size_t> numbers;
  std::ostringstream text;
  text << "this schedule:";
  for (const Event& event : events_) {
    const std::size_t number = numbers.try_emplace(event.step.where, numbers.size()).first->second;
    text << "\n  thread " << event.thread << ' ' << kNames[static_cast<std::size_t>(event.step.access)] << " #"
         << number;
  }
  return text.str();
}

}  // namespace fuseboard::interleave
