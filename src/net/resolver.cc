// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include "fuseboard/core/mutex.h"
#include "net/http.h"

namespace fuseboard::net {
namespace {

// Threads beyond the bound, for names that need no name server: they end at once.
constexpr std::size_t kThreadsForFiles = 8;
// Of a hosts file, the part that is read; enough for some 30 000 names.
constexpr std::size_t kMaxOfFile = std::size_t{1} << 20;

std::optional<boost::asio::ip::address> address_of(const addrinfo& found) {
  if (found.ai_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, found.ai_addr, sizeof(v4));
    return boost::asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (found.ai_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, found.ai_addr, sizeof(v6));
    boost::asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), v6.sin6_addr.s6_addr, bytes.size());
    return boost::asio::ip::address_v6(bytes, v6.sin6_scope_id);
  }
  return std::nullopt;
}

std::string failure(int error, const std::string& name) {
  if (error == EAI_NONAME || error == EAI_NODATA) return "the name " + name + " has no address";
  if (error == EAI_AGAIN) return "no name server could be asked for " + name;
  return "looking up " + name +
         " failed: " + (error == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(error));
}

bool is_in_file(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string line;
  std::size_t read = 0;
  while (read < kMaxOfFile && std::getline(file, line)) {
    read += line.size() + 1;
    line.resize(std::min(line.find('#'), line.size()));
    std::istringstream words(line);
    std::string word;
    words >> word;  // the address
    while (words >> word) {
      if (equal_ignoring_case(word, name)) return true;
    }
  }
  return false;
}

}  // namespace

NameAnswer look_up_by_system(const std::string& name) {
  const addrinfo hints{.ai_flags = AI_ADDRCONFIG, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
  NameAnswer answer;
  if (error != 0) {
    answer.error = failure(error, name);
    return answer;
  }
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (const auto address = address_of(*entry)) answer.addresses.push_back(*address);
  }
  ::freeaddrinfo(found);
  if (answer.addresses.empty()) answer.error = failure(EAI_NONAME, name);
  return answer;
}

Problems ResolverOptions::validate() const {
  Validator validator;
  validator.in_range("max_threads", max_threads, std::size_t{1}, std::size_t{1024});
  validator.in_range("max_waiting", max_waiting, std::size_t{0}, std::size_t{100'000});
  validator.in_range("max_kept", max_kept, std::size_t{1}, std::size_t{1'000'000});
  validator.in_range("keep", keep, Duration::zero(), std::chrono::hours(1));
  validator.in_range("keep_failure", keep_failure, Duration::zero(), std::chrono::hours(1));
  return std::move(validator).take();
}

// Somebody who waits. `done` is touched on the loop's thread alone.
struct Resolver::Party {
  Loop& loop;
  std::string name;
  Done done;
};

// Outlives the resolver as long as a thread hangs.
struct Resolver::State {
  struct Name {
    enum class Stage : std::uint8_t { waiting, asked };
    Stage stage = Stage::waiting;
    std::vector<std::shared_ptr<Party>> parties{};
  };
  struct Kept {
    NameAnswer answer;
    TimePoint until;
  };

  State(ResolverOptions given, const Clock& watch) : options(std::move(given)), clock(watch) {}

  const ResolverOptions options;
  const Clock& clock;
  mutable Mutex mutex;
  bool stopped FUSEBOARD_GUARDED_BY(mutex) = false;
  std::size_t threads FUSEBOARD_GUARDED_BY(mutex) = 0;
  std::map<std::string, Name> pending FUSEBOARD_GUARDED_BY(mutex);
  std::deque<std::string> waiting FUSEBOARD_GUARDED_BY(mutex);  // names, the first to be asked next
  std::map<std::string, Kept> kept FUSEBOARD_GUARDED_BY(mutex);

  // Posting never waits for a loop, and a loop whose party is still here has not ended.
  static void tell(const std::shared_ptr<Party>& party, const std::shared_ptr<const NameAnswer>& answer) {
    party->loop.post([party, answer] {
      if (auto done = std::exchange(party->done, nullptr)) done(*answer);
    });
  }

  bool may_ask_locked(const std::string& name) const FUSEBOARD_REQUIRES(mutex) {
    if (threads < options.max_threads) return true;
    return threads < options.max_threads + kThreadsForFiles && is_in_file(options.hosts_file, name);
  }

  void keep_locked(const std::string& name, const NameAnswer& answer) FUSEBOARD_REQUIRES(mutex) {
    const Duration good = answer.error.empty() ? options.keep : options.keep_failure;
    if (good <= Duration::zero()) return;
    if (kept.size() >= options.max_kept && !kept.contains(name)) {
      kept.erase(std::ranges::min_element(kept, {}, [](const auto& entry) { return entry.second.until; }));
    }
    kept.insert_or_assign(name, Kept{.answer = answer, .until = saturating_add(clock.now(), good)});
  }

  // Ends a look-up; the name that this thread asks for next, if one waits.
  std::optional<std::string> answered(const std::string& name, NameAnswer answer) {
    const auto shared = std::make_shared<const NameAnswer>(std::move(answer));
    const MutexLock lock(mutex);
    if (stopped) {
      --threads;
      return std::nullopt;
    }
    keep_locked(name, *shared);
    if (auto entry = pending.extract(name)) {
      for (const auto& party : entry.mapped().parties) tell(party, shared);
    }
    if (waiting.empty() || threads > options.max_threads) {
      --threads;
      return std::nullopt;
    }
    std::string next = std::move(waiting.front());
    waiting.pop_front();
    pending.at(next).stage = Name::Stage::asked;
    return next;
  }

  // A thread that asks for the name, and for as long as names wait for those; why there is none. It may hang for as
  // long as it likes, so nobody joins it. It takes no part in anything before the caller's lock is released.
  static std::optional<std::string> begin_thread(const std::shared_ptr<State>& state, const std::string& name) {
    try {
      std::thread(run, state, name).detach();
    } catch (const std::system_error& error) {
      return std::string("no thread to look it up: ") + error.what();
    }
    return std::nullopt;
  }

  static void run(const std::shared_ptr<State>& state, std::string name) {
    std::optional<std::string> next = std::move(name);
    while (next) {
      NameAnswer answer = state->options.look_up(*next);
      next = state->answered(*next, std::move(answer));
    }
  }
};

Resolver::Resolver(ResolverOptions options, const Clock& clock)
    : state_(std::make_shared<State>(checked(std::move(options)), clock)) {}

Resolver::~Resolver() { stop(); }

void Resolver::stop() {
  const MutexLock lock(state_->mutex);
  state_->stopped = true;
  state_->pending.clear();
  state_->waiting.clear();
}

std::optional<NameAnswer> Resolver::known(const std::string& name) const {
  const MutexLock lock(state_->mutex);
  const auto found = state_->kept.find(name);
  if (found == state_->kept.end() || state_->clock.now() >= found->second.until) return std::nullopt;
  return found->second.answer;
}

void Resolver::forget(const std::string& name) {
  const MutexLock lock(state_->mutex);
  state_->kept.erase(name);
}

Resolver::Counters Resolver::counters() const {
  const MutexLock lock(state_->mutex);
  return {.threads = state_->threads, .waiting = state_->waiting.size(), .kept = state_->kept.size()};
}

Resolver::Lookup Resolver::look_up(Loop& loop, const std::string& name, Done done) {
  auto party = std::make_shared<Party>(Party{.loop = loop, .name = name, .done = std::move(done)});
  const MutexLock lock(state_->mutex);
  const auto refuse = [&](std::string why) {
    State::tell(party, std::make_shared<const NameAnswer>(NameAnswer{.error = std::move(why), .ours = true}));
  };
  if (state_->stopped) {
    refuse("the program is stopping");
  } else if (const auto found = state_->pending.find(name); found != state_->pending.end()) {
    found->second.parties.push_back(party);
  } else if (state_->may_ask_locked(name)) {
    if (const auto error = State::begin_thread(state_, name)) {
      refuse(*error);
    } else {
      state_->pending.emplace(name, State::Name{.stage = State::Name::Stage::asked, .parties = {party}});
      ++state_->threads;
    }
  } else if (state_->waiting.size() < state_->options.max_waiting) {
    state_->pending.emplace(name, State::Name{.parties = {party}});
    state_->waiting.push_back(name);
  } else {
    refuse("too many names are being looked up");
  }
  return {state_, std::move(party)};
}

Resolver::Lookup& Resolver::Lookup::operator=(Lookup&& other) noexcept {
  if (this != &other) {
    cancel();
    state_ = std::move(other.state_);
    party_ = std::move(other.party_);
  }
  return *this;
}

bool Resolver::Lookup::waits_for_others() const {
  if (state_ == nullptr) return false;
  const MutexLock lock(state_->mutex);
  const auto found = state_->pending.find(party_->name);
  return found != state_->pending.end() && found->second.stage == State::Name::Stage::waiting;
}

// A name that nobody wants any more keeps its place: its answer is kept for whoever asks next.
void Resolver::Lookup::cancel() {
  if (party_ == nullptr) return;
  {
    const MutexLock lock(state_->mutex);
    if (const auto found = state_->pending.find(party_->name); found != state_->pending.end()) {
      std::erase(found->second.parties, party_);
    }
  }
  party_->done = nullptr;
  party_.reset();
  state_.reset();
}

}  // namespace fuseboard::net
