// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "gateway/routes.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/server.h"
#include "tests/gateway/loop_world.h"

namespace fuseboard::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

net::Task<void> answer_of_upstream(net::ServerExchange& exchange) {
  const auto body = co_await exchange.read_body();
  if (body && body->view().contains(R"("stream":true)")) {
    co_await exchange.start({.status = 200, .headers = {{"content-type", "text/event-stream"}}});
    co_await exchange.write(
        "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello.\"},\"finish_reason\":\"stop\"}]}"
        "\n\ndata: [DONE]\n\n");
    co_await exchange.finish();
    co_return;
  }
  co_await exchange.respond(
      {.status = 200, .headers = {{"content-type", "application/json"}}},
      R"({"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"Hello."},"finish_reason":"stop"}]})");
}

// Whether callers had the end of their answers when their calls were told of.
class Witness final : public CallObserver {
 public:
  void call_ended(const CallId&, const std::shared_ptr<const Plan>&, const CallRecord& record) noexcept override {
    endings.push_back(record.ending);
    answered.push_back(caller->finished());
  }

  net::ServerExchange* caller = nullptr;
  std::vector<Ending> endings;
  std::vector<bool> answered;
};

class RelayTest : public testing::Test {
 protected:
  RelayTest() {
    world_.observers.add(witness_);
    port_ = gateway_.listen("127.0.0.1", 0).value_or(0);
  }
  ~RelayTest() override { loops_.stop(); }

  // The whole answer.
  std::string post(std::string body) {
    std::promise<std::string> promise;
    auto answer = promise.get_future();
    loops_.at(0).post([&] { net::spawn(send(body, promise)); });
    return answer.get();
  }

  Witness witness_;

 private:
  config::Config configured() {
    config::Config config;
    config.providers.push_back(
        {.name = "p",
         .base_url = {
             .tls = false, .host = "127.0.0.1", .port = upstream_.listen("127.0.0.1", 0).value_or(0), .path = "/v1"}});
    config.models.push_back({.alias = "smart", .targets = {{.provider = "p", .model = "m"}}});
    return config;
  }
  net::Task<void> send(const std::string& body, std::promise<std::string>& promise) {
    const net::RequestHead request{
        .method = "POST", .target = "/v1/chat/completions", .headers = {{"content-type", "application/json"}}};
    net::HttpClient client(loops_.at(0));
    net::ClientExchange exchange = client.exchange({.host = "127.0.0.1", .port = port_});
    const auto head = co_await exchange.send(request, body, {});
    const auto answer = co_await exchange.read_all(std::size_t{1} << 20, kNever);
    promise.set_value(head && answer ? *answer : std::string());
  }

  net::LoopGroup loops_{1};
  net::ThreadPool aside_{1};
  Rng rng_{1};
  std::atomic<bool> draining_{false};
  net::HttpServer upstream_{loops_, {}, answer_of_upstream};
  LoopWorld world_{loops_.at(0), aside_, SteadyClock::instance(), rng_, configured()};
  const GatewayServices services_{.draining = draining_, .max_body = std::size_t{1} << 20};
  net::HttpServer gateway_{loops_, {}, [this](net::ServerExchange& caller) {
                             witness_.caller = &caller;
                             return handle(world_.context, services_, caller);
                           }};
  std::uint16_t port_ = 0;
};

TEST_F(RelayTest, ACallIsCountedBeforeItsCallerHasTheLastByteOfTheAnswer) {
  EXPECT_THAT(post(R"({"model":"smart","messages":[{"role":"user","content":"Hi"}]})"), HasSubstr("Hello."));
  EXPECT_THAT(post(R"({"model":"smart","stream":true,"messages":[{"role":"user","content":"Hi"}]})"),
              HasSubstr("[DONE]"));
  EXPECT_THAT(witness_.endings, ElementsAre(Ending::success, Ending::success));
  EXPECT_THAT(witness_.answered, ElementsAre(false, false));
}

}  // namespace
}  // namespace fuseboard::gateway
