// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <utility>

#include "net/client.h"
#include "net/loop.h"

namespace fuseboard::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

config::Config with_model(const std::string& alias) {
  config::Config config;
  config.listen = {.host = "127.0.0.1", .port = 0};
  config.providers.push_back({.name = "p", .base_url = {.tls = false, .host = "127.0.0.1", .port = 1}});
  config.models.push_back({.alias = alias, .targets = {{.provider = "p", .model = alias}}});
  return config;
}

class GatewayTest : public testing::Test {
 protected:
  ~GatewayTest() override { loops_.stop(); }
  // The body of the answer.
  std::string get(std::string target) {
    std::promise<std::string> promise;
    auto body = promise.get_future();
    loops_.at(0).post([&] { net::spawn(fetch(target, promise)); });
    return body.get();
  }

  Gateway gateway_{with_model("first"), {.threads = 2}};
  const std::uint16_t port_ = gateway_.listen().value_or(0);

 private:
  net::Task<void> fetch(const std::string& target, std::promise<std::string>& promise) {
    const net::RequestHead request{.method = "GET", .target = target};
    net::HttpClient client(loops_.at(0));
    net::ClientExchange exchange = client.exchange({.host = "127.0.0.1", .port = port_});
    const auto head = co_await exchange.send(request, "", {});
    const auto body = co_await exchange.read_all(std::size_t{1} << 20, kNever);
    promise.set_value(head && body ? *body : std::string());
  }

  net::LoopGroup loops_{1};
};

TEST_F(GatewayTest, CallsThatComeAfterAChangeOfRoutingFindWhatItHas) {  // PIP-5
  EXPECT_THAT(get("/v1/models"), HasSubstr("\"first\""));
  gateway_.change_routing(with_model("second"));
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(get("/v1/models"), AllOf(HasSubstr("\"second\""), Not(HasSubstr("\"first\""))));
  }
  EXPECT_THAT(get("/v1/models/first"), HasSubstr("no model of that name"));
}

TEST_F(GatewayTest, SeriesOfWhatIsGoneAreKeptAndThoseOfWhatIsNewAreThere) {  // TEL-3
  gateway_.change_routing(with_model("second"));
  const std::string metrics = get("/metrics");
  EXPECT_THAT(metrics, HasSubstr("fuseboard_retries_total{model=\"first\"} 0"));
  EXPECT_THAT(metrics, HasSubstr("fuseboard_retries_total{model=\"second\"} 0"));
}

TEST_F(GatewayTest, AChangeThatTheMachineRefusesChangesNothing) {
  config::Config config = with_model("second");
  config.providers[0].ca_file = "/nonexistent.pem";
  config.models[0].targets[0].breaker.failure_threshold = 1;
  EXPECT_THROW(gateway_.change_routing(config), InvalidOptions);
  EXPECT_THAT(get("/v1/models"), HasSubstr("\"first\""));
  const config::TargetConfig& target = config.models[0].targets[0];
  const KeyView key{std::string_view(target.provider), std::string_view(target.model)};
  gateway_.breakers().report(key, Outcome::failed(Failure::of(Category::overloaded)));
  EXPECT_EQ(gateway_.breakers().snapshot(key).state, CircuitState::closed) << "nor do its limits hold";
}

}  // namespace
}  // namespace fuseboard::gateway
