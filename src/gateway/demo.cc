// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/demo.h"

#include <chrono>
#include <utility>

#include "net/client.h"
#include "net/loop.h"
#include "net/server.h"
#include "sim/sim_provider.h"

namespace fuseboard::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kAddress = "127.0.0.1";
constexpr std::string_view kProviderModel = "demo-small";
constexpr Duration kCallEvery = milliseconds(500);

config::ProviderConfig provider(std::string name, std::uint16_t port) {
  config::ProviderConfig provider{.name = std::move(name)};
  provider.base_url = {.tls = false, .host = std::string(kAddress), .port = port, .path = "/v1"};
  return provider;
}

// Quick to open and quick to try again: a watcher should see a whole circle within a minute.
config::TargetConfig target(std::string provider) {
  BreakerOptions breaker = provider_preset();
  breaker.failure_threshold = 3;
  breaker.open_time = OpenTime::fixed(seconds(5));
  return {.provider = std::move(provider), .model = std::string(kProviderModel), .breaker = breaker, .timeouts = {}};
}

net::Task<void> one_call(net::HttpClient& client, const net::Origin& origin, bool streamed) {
  const net::RequestHead head{
      .method = "POST", .target = "/v1/chat/completions", .headers = {{"content-type", "application/json"}}};
  const std::string body = std::string(R"({"model":")") + Demo::kModel + R"(","max_tokens":24,"stream":)" +
                           (streamed ? "true" : "false") +
                           R"(,"messages":[{"role":"user","content":"Say something short."}]})";
  const TimePoint by = saturating_add(client.loop().now(), seconds(30));
  net::ClientExchange exchange = client.exchange(origin);
  const auto answer = co_await exchange.send(head, body, {.connect_by = by, .head_by = by});
  // How it went shows in the gateway's own counters and events.
  if (answer) (void)co_await exchange.read_all(std::size_t{1} << 20, by);
}

net::Task<void> traffic(net::Loop& loop, net::HttpClient& client, net::Origin origin) {
  TimePoint next = loop.now();
  for (bool streamed = false;; streamed = !streamed) {
    next = saturating_add(next, kCallEvery);
    if (!co_await loop.sleep_until(next)) co_return;
    co_await one_call(client, origin, streamed);
  }
}

}  // namespace

struct Demo::Impl {
  net::LoopGroup loops{1};
  net::HttpClient client{loops.at(0)};
  sim::SimProvider primary{sim::SimOptions{.faults = sim::demo_faults(), .demo = true}};
  sim::SimProvider secondary{sim::SimOptions{.seed = 2, .demo = true}};
  net::HttpServer primary_server{loops, {}, primary.handler()};
  net::HttpServer secondary_server{loops, {}, secondary.handler()};

  ~Impl() { loops.stop(); }
};

Demo::Demo() : impl_(std::make_unique<Impl>()) {}
Demo::~Demo() = default;

std::expected<config::Config, std::string> Demo::start(const config::ListenAddress& listen) {
  const auto primary = impl_->primary_server.listen(std::string(kAddress), 0);
  if (!primary) return std::unexpected(primary.error());
  const auto secondary = impl_->secondary_server.listen(std::string(kAddress), 0);
  if (!secondary) return std::unexpected(secondary.error());

  config::Config config{.listen = listen};
  config.providers = {provider("sim-primary", *primary), provider("sim-secondary", *secondary)};
  config::ModelConfig model{.alias = kModel, .targets = {target("sim-primary"), target("sim-secondary")}, .plan = {}};
  model.plan.retry.max_attempts = 2;
  model.plan.retry.base = milliseconds(100);
  config.models = {std::move(model)};
  config.drain_timeout = seconds(5);
  return config;
}

void Demo::send_traffic(std::uint16_t gateway_port) {
  net::Loop& loop = impl_->loops.at(0);
  const net::Origin origin{.tls = false, .host = std::string(kAddress), .port = gateway_port};
  loop.post([this, &loop, origin] { net::spawn(traffic(loop, impl_->client, origin)); });
}

}  // namespace fuseboard::gateway
