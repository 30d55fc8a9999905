// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/resolver.h"

#include <filesystem>
#include <fstream>
#include <latch>
#include <map>
#include <mutex>
#include <vector>

#include "tests/net/net_fixture.h"

namespace fuseboard::net {
namespace {

using namespace testing;

// Name servers of which some never answer: names that begin with "hang" wait until they are let go.
class NameServers {
 public:
  NameServers() : state_(std::make_shared<State>()) {}
  ~NameServers() { release(); }

  std::function<NameAnswer(const std::string&)> look_up() const {
    return [state = state_](const std::string& name) {
      {
        const std::scoped_lock lock(state->mutex);
        ++state->asked[name];
      }
      if (name.starts_with("hang")) state->let_go.wait();
      if (name.starts_with("no")) return NameAnswer{.error = "no such name"};
      return NameAnswer{.addresses = {boost::asio::ip::make_address("127.0.0.1")}};
    };
  }
  int asked(const std::string& name) const {
    const std::scoped_lock lock(state_->mutex);
    return state_->asked[name];
  }
  void release() {
    if (!std::exchange(released_, true)) state_->let_go.count_down();
  }

 private:
  struct State {
    std::mutex mutex;
    std::map<std::string, int> asked;
    std::latch let_go{1};
  };
  std::shared_ptr<State> state_;
  bool released_ = false;
};

class ResolverTest : public ::testing::Test {
 protected:
  ~ResolverTest() override { loops_.stop(); }

  Resolver& make(ResolverOptions options = {}) {
    options.look_up = servers_.look_up();
    return resolver_.emplace(std::move(options), clock_);
  }

  // Somebody who wants a name's address, on the loop.
  struct Wish {
    Resolver::Lookup lookup;
    std::promise<NameAnswer> promise;
    std::future<NameAnswer> answer = promise.get_future();
  };
  std::shared_ptr<Wish> want(const std::string& name) {
    auto wish = std::make_shared<Wish>();
    on_loop([&] {
      wish->lookup = resolver_->look_up(
          loops_.at(0), name, [wish = wish.get()](const NameAnswer& answer) { wish->promise.set_value(answer); });
    });
    return wish;
  }
  NameAnswer ask(const std::string& name) {
    const auto wish = want(name);
    NameAnswer answer = wait_for(std::move(wish->answer));
    drop(wish);
    return answer;
  }
  bool waits_for_others(const std::shared_ptr<Wish>& wish) {
    bool waits = false;
    on_loop([&] { waits = wish->lookup.waits_for_others(); });
    return waits;
  }
  void drop(const std::shared_ptr<Wish>& wish) {
    on_loop([&] { wish->lookup = {}; });
  }
  void on_loop(std::function<void()> work) {
    std::promise<void> done;
    loops_.at(0).post([&] {
      work();
      done.set_value();
    });
    wait_for(done.get_future().share());
  }
  static void wait_for(const std::shared_future<void>& future) {
    ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  }
  template <class T>
  static T wait_for(std::future<T> future) {
    return testing::wait_for(std::move(future));
  }

  ManualClock clock_;
  LoopGroup loops_{1};
  NameServers servers_;
  std::optional<Resolver> resolver_;
};

TEST_F(ResolverTest, ANameThatHangsKeepsNobodyElseWaiting) {
  make();
  std::vector<std::shared_ptr<Wish>> hanging;
  for (int i = 0; i < 10; ++i) hanging.push_back(want("hang" + std::to_string(i)));
  EXPECT_EQ(ask("well").addresses.size(), 1U);
  EXPECT_EQ(resolver_->counters().threads, 10U);
  EXPECT_EQ(ask("no-such").error, "no such name");
  for (const auto& wish : hanging) drop(wish);
}

TEST_F(ResolverTest, SeveralThatWantOneNameShareALookUp) {
  make();
  const auto first = want("hang");
  const auto second = want("hang");
  EXPECT_EQ(resolver_->counters().threads, 1U);
  servers_.release();
  EXPECT_EQ(wait_for(std::move(first->answer)).addresses.size(), 1U);
  EXPECT_EQ(wait_for(std::move(second->answer)).addresses.size(), 1U);
  EXPECT_EQ(servers_.asked("hang"), 1);
  drop(first);
  drop(second);
}

TEST_F(ResolverTest, AnAnswerIsGoodForHalfAMinuteAndAFailureForASecond) {
  make();
  ask("well");
  ask("no-such");
  clock_.advance(1s - 1ns);
  EXPECT_EQ(resolver_->known("no-such")->error, "no such name");
  clock_.advance(1ns);
  EXPECT_FALSE(resolver_->known("no-such"));
  clock_.advance(29s - 1ns);
  EXPECT_EQ(resolver_->known("well")->addresses.size(), 1U);
  clock_.advance(1ns);
  EXPECT_FALSE(resolver_->known("well"));
}

TEST_F(ResolverTest, WhatIsForgottenIsAskedForAnew) {
  make();
  ask("well");
  resolver_->forget("well");
  EXPECT_FALSE(resolver_->known("well"));
  ask("well");
  EXPECT_EQ(servers_.asked("well"), 2);
}

TEST_F(ResolverTest, BeyondTheBoundNamesWaitForTheirTurnAndAreToldSo) {  // CORE-5
  make({.max_threads = 1, .max_waiting = 1, .hosts_file = "/dev/null"});
  const auto hanging = want("hang");
  const auto next = want("well");
  EXPECT_FALSE(waits_for_others(hanging));
  EXPECT_TRUE(waits_for_others(next));
  EXPECT_EQ(resolver_->counters().waiting, 1U);
  const NameAnswer refused = ask("other");
  EXPECT_TRUE(refused.ours) << "no name server has failed";
  EXPECT_EQ(refused.error, "too many names are being looked up");
  servers_.release();
  EXPECT_EQ(wait_for(std::move(next->answer)).addresses.size(), 1U);
  EXPECT_EQ(ask("other").addresses.size(), 1U);
  drop(hanging);
  drop(next);
}

TEST_F(ResolverTest, ANameOfTheHostsFileDoesNotWaitForThoseThatHang) {
  const std::string file = std::filesystem::temp_directory_path() / ("hosts-" + std::to_string(::getpid()));
  std::ofstream(file) << "# comment hidden\n127.0.0.1\tlocalhost Box.test # well\n";
  make({.max_threads = 1, .hosts_file = file});
  const auto hanging = want("hang");
  EXPECT_EQ(ask("box.test").addresses.size(), 1U);
  for (const char* absent : {"hidden", "well", "127.0.0.1"}) {
    const auto other = want(absent);
    EXPECT_TRUE(waits_for_others(other)) << absent;
    drop(other);
  }
  drop(hanging);
  std::filesystem::remove(file);
}

TEST_F(ResolverTest, AnswersThatAreKeptAreBounded) {  // CORE-5
  make({.max_kept = 2});
  ask("first");
  clock_.advance(1s);
  ask("second");
  clock_.advance(1s);
  ask("third");
  EXPECT_EQ(resolver_->counters().kept, 2U);
  EXPECT_FALSE(resolver_->known("first"));
  EXPECT_TRUE(resolver_->known("second"));
}

TEST_F(ResolverTest, WhoHasGivenUpIsNotToldAndTheAnswerIsKept) {
  make();
  const auto given_up = want("hang");
  drop(given_up);
  const auto waiting = want("hang");
  servers_.release();
  EXPECT_EQ(wait_for(std::move(waiting->answer)).addresses.size(), 1U);
  drop(waiting);
  EXPECT_EQ(given_up->answer.wait_for(0s), std::future_status::timeout);
  EXPECT_TRUE(resolver_->known("hang"));
}

// Its thread comes back long after the resolver, the loop and whoever waited have gone.
TEST_F(ResolverTest, DestroyingItWaitsForNobody) {
  make();
  const auto hanging = want("hang");
  loops_.stop();
  resolver_.reset();
  hanging->lookup = {};
  servers_.release();
  EXPECT_EQ(hanging->answer.wait_for(0s), std::future_status::timeout);
}

TEST_F(ResolverTest, OptionsAreChecked) {  // CORE-6
  EXPECT_THROW(Resolver({.max_threads = 0}), InvalidOptions);
  EXPECT_THROW(Resolver({.max_kept = 0}), InvalidOptions);
  EXPECT_THROW(Resolver({.keep = -1s}), InvalidOptions);
  EXPECT_TRUE(ResolverOptions().validate().empty());
}

TEST(SystemResolver, KnowsTheLoopback) {
  const NameAnswer answer = look_up_by_system("localhost");
  ASSERT_FALSE(answer.addresses.empty()) << answer.error;
  EXPECT_TRUE(answer.addresses[0].is_loopback());
  EXPECT_FALSE(look_up_by_system("no-such-host.invalid").error.empty());
}

// Clients that share what is known of names, as those of one gateway do.
class ResolvingClient : public ::testing::Test {
 protected:
  ClientOptions with(ResolverOptions options = {}) {
    options.look_up = servers_.look_up();
    options.hosts_file = "/dev/null";
    return {.resolver = std::make_shared<Resolver>(std::move(options))};
  }
  static AnswerOrError fetch_by(Caller& caller, const std::string& host, std::uint16_t port, Duration connect) {
    return caller.run([&](HttpClient& client) -> Task<AnswerOrError> {
      auto exchange = std::make_unique<ClientExchange>(client.exchange({.host = host, .port = port}));
      const auto head = co_await exchange->send({}, {}, {.connect_by = caller.in(connect), .head_by = caller.soon()});
      if (!head) co_return std::unexpected(head.error());
      co_return Answer{.head = *head};
    });
  }

  NameServers servers_;
  Service service_{[](ServerExchange& exchange) -> Task<void> { co_await exchange.respond({}, "done"); }};
};

TEST_F(ResolvingClient, AHangingNameTakesNoOtherProviderDown) {  // BRK-22
  const ClientOptions shared = with();
  Caller ill(shared);
  Caller well(shared);
  auto hanging = std::async(std::launch::async, [&] { return fetch_by(ill, "hang.test", service_.port, 300ms); });
  const auto answer = fetch_by(well, "well.test", service_.port, kPatience);
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  const auto timed_out = hanging.get();
  ASSERT_FALSE(timed_out.has_value());
  EXPECT_EQ(timed_out.error().kind, TransportError::connect_timeout);
  EXPECT_FALSE(timed_out.error().ours) << "it is its own name that hangs";
}

TEST_F(ResolvingClient, WaitingBehindAnothersNameIsNoFaultOfTheServers) {  // BRK-22
  Caller caller(with({.max_threads = 1}));
  EXPECT_FALSE(fetch_by(caller, "hang.test", service_.port, 100ms).has_value());
  const auto waited = fetch_by(caller, "well.test", service_.port, 100ms);
  ASSERT_FALSE(waited.has_value());
  EXPECT_TRUE(waited.error().ours) << waited.error().message;
  EXPECT_FALSE(waited.error().request_may_have_run);
}

TEST_F(ResolvingClient, AnAddressThatLeadsNowhereIsAskedForAnew) {
  RawServer server;
  const std::uint16_t port = server.port();
  server.close();
  Caller caller(with());
  for (int i = 1; i <= 2; ++i) {
    const auto refused = fetch_by(caller, "well.test", port, kPatience);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, TransportError::connect_refused);
    EXPECT_EQ(servers_.asked("well.test"), i);
  }
}

}  // namespace
}  // namespace fuseboard::net
