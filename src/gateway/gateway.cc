// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/gateway.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "fuseboard/core/rng.h"
#include "fuseboard/telemetry/call_series.h"
#include "fuseboard/telemetry/call_stats.h"
#include "fuseboard/telemetry/execution_stats.h"
#include "gateway/credential_state.h"
#include "gateway/hops.h"
#include "gateway/loop_context.h"
#include "gateway/model_routes.h"
#include "gateway/registry_options.h"
#include "gateway/routes.h"
#include "gateway/spare_memory.h"
#include "llm/errors.h"
#include "net/loop.h"
#include "net/server.h"

namespace fuseboard::gateway {
namespace {

constexpr std::size_t kMaxThreads = 16;
constexpr Duration kCredentialsEvery = std::chrono::milliseconds(500);
// Callers that stream for minutes are many; what really bounds them is the process's limit of descriptors.
constexpr std::size_t kMaxConnections = 65'536;
// A caller that has stopped reading its stream may be a person who has stopped a terminal, or a program that thinks.
constexpr Duration kMaxPatientReader = std::chrono::minutes(5);

std::size_t thread_count(std::size_t wanted) {
  if (wanted != 0) return wanted;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMaxThreads);
}

net::ServerOptions server_options(const config::Config& config, std::shared_ptr<net::BodyMemory> body_memory) {
  net::ServerOptions options;
  options.max_body = config.max_body;
  options.body_memory = std::move(body_memory);
  options.max_connections = kMaxConnections;
  options.stream_write_timeout = kMaxPatientReader;
  // What the server refuses by itself is told in the dialect of its caller, as far as that can be seen.
  options.error_body = [](int status, std::string_view message, const net::RequestHead& request) {
    std::string body = llm::openai_error_body(message, status < 500 ? "invalid_request_error" : "api_error");
    const llm::Dialect dialect = caller_dialect(net::split_target(request.target).path, request.headers);
    return llm::retold_openai_error(dialect, status, std::move(body));
  };
  options.error_content_type = "application/json";
  return options;
}

// Clients take the name for the one address or the other: who answered on one alone would refuse some of them.
std::expected<std::uint16_t, std::string> listen_on_localhost(net::HttpServer& server, std::uint16_t port) {
  std::expected<std::uint16_t, std::string> bound = std::unexpected("localhost: this machine has no loopback address");
  for (const char* const address : {"127.0.0.1", "::1"}) {
    if (!net::HttpServer::has_address(address)) {
      spdlog::warn("listen: localhost: this machine has no {}; callers reach the other address alone", address);
      continue;
    }
    bound = server.listen(address, port);
    if (!bound) return bound;
    port = *bound;
  }
  return bound;
}

// Where they still run at that time.
net::Task<void> shut_down_calls(LoopContext& loop_context, TimePoint at) {
  if (co_await loop_context.loop.sleep_until(at)) loop_context.calls.shut_down_all();
}

}  // namespace

struct Gateway::Impl {
  Impl(const config::Config& checked, const GatewayOptions& options)
      : config(checked),
        log(options.log),
        clock(options.clock),
        wall(options.wall),
        log_dropped(options.log_dropped),
        rng(Rng::random_seed()),
        instance(new_instance_id(rng)),
        targets(registry_options(config), clock),
        routing(std::make_shared<const Routing>(config, make_providers(config, provider_ids), targets, usage_askings)),
        direct_routes(routing, targets, usage_askings, clock),
        body_memory(std::make_shared<net::BodyMemory>(config.max_body_memory)),
        ledger(config.budgets, options.wall),
        failures(routing->targets(), clock, options.log),
        services{.build = options.build,
                 .started = clock.now(),
                 .draining = draining,
                 .server_counters = [this] { return server->counters(); },
                 .upkeep = [this] { return upkeep_counts(); },
                 .access = {.allowed_hosts = config.allowed_hosts,
                            .allow_anonymous = config.allow_anonymous,
                            .admin_token = config.admin_token.reveal()},
                 .max_body = config.max_body},
        aside(thread_count(options.threads)),
        loops(thread_count(options.threads)) {
    series.add(routing->series_names());
    call_stats.watch(targets.breakers());
    for (CallObserver* const observer : std::initializer_list<CallObserver*>{&series, &call_stats, &failures}) {
      observers.add(*observer);
    }
    for (std::size_t i = 0; i < loops.size(); ++i)
      loop_contexts.push_back(make_loop_context(loops.at(i), options.demo));
    server = std::make_unique<net::HttpServer>(
        loops, server_options(config, body_memory), [this](net::ServerExchange& exchange) {
          return handle(*loop_contexts[exchange.loop().index()], services, exchange);
        });
    start_upkeep();
  }

  // What calls in flight account for: bodies as they are, and about what else a live stream has.
  std::size_t memory_in_use() const {
    constexpr std::size_t kOfACall = std::size_t{64} << 10;
    return body_memory->counters().bytes + server->counters().requests_in_flight * kOfACall;
  }

  void start_upkeep() {
    // Of each loop: some 300 bytes each, and 5 ms in all.
    constexpr std::size_t kReservedSockets = 2048;
    for (std::size_t i = 0; i < loops.size(); ++i) {
      loops.at(i).post([this, i] {
        loops.at(i).reserve_sockets(kReservedSockets);
        std::function<std::size_t()> in_use;
        if (i == 0) in_use = [this] { return memory_in_use(); };
        net::spawn(release_spare_memory(loops.at(i), aside, std::move(in_use)));
      });
    }
  }

  UpkeepCounts upkeep_counts() const {
    return {.log_dropped = log_dropped(), .bodies = body_memory->counters(), .pauses = loops.pauses()};
  }

  // Handlers use everything above the loops, so the loops stop first; and a name server that is silent until now must
  // not be heard by loops that are gone.
  ~Impl() {
    loops.stop();
    aside.stop();
    resolver->stop();
  }

  std::unique_ptr<LoopContext> make_loop_context(net::Loop& loop, bool demo) {
    return std::make_unique<LoopContext>(LoopContext{.loop = loop,
                                                     .clock = clock,
                                                     .wall = wall,
                                                     .routing = routing,
                                                     .direct_routes = direct_routes,
                                                     .targets = targets,
                                                     .provider_ids = provider_ids,
                                                     .observer = observers,
                                                     .series = series,
                                                     .execution_stats = execution_stats,
                                                     .failures = failures,
                                                     .rng = rng,
                                                     .ledger = ledger,
                                                     .provider_affinity = provider_affinity,
                                                     .body_memory = body_memory,
                                                     .aside = aside,
                                                     .demo = demo,
                                                     .instance = instance,
                                                     .clients = ProviderClients(loop, resolver)});
  }

  // Looks every now and then: a credential is parked for a second at least.
  net::Task<void> watch_credentials(LoopContext& loop_context) {
    net::Loop& loop = loop_context.loop;
    CredentialWatch watch;
    while (co_await loop.sleep_until(saturating_add(loop.now(), kCredentialsEvery))) {
      for (const std::string& line : watch.update(credential_states(clock.now(), *loop_context.routing, targets)))
        log(line);
    }
  }

  const config::Config config;
  const LogSink log;
  const Clock& clock;
  const WallClock& wall;
  const std::function<std::uint64_t()> log_dropped;
  Rng rng;
  const std::string instance;
  ProviderIds provider_ids;
  TargetRegistry targets;
  UsageAskings usage_askings;
  std::shared_ptr<const Routing> routing;  // the latest
  DirectRoutes direct_routes;
  const std::shared_ptr<net::BodyMemory> body_memory;
  BudgetLedger ledger;
  ProviderAffinity provider_affinity;
  telemetry::CallSeries series;
  telemetry::ExecutionStats execution_stats;
  telemetry::CallStats call_stats{execution_stats};
  Failures failures;
  CallObservers observers;
  std::atomic<bool> draining{false};
  GatewayServices services;
  const std::shared_ptr<net::Resolver> resolver = std::make_shared<net::Resolver>();
  net::ThreadPool aside;  // what it is at uses the above
  net::LoopGroup loops;
  std::vector<std::unique_ptr<LoopContext>> loop_contexts;
  std::unique_ptr<net::HttpServer> server;
};

Gateway::Gateway(const config::Config& config, const GatewayOptions& options)
    : impl_(std::make_unique<Impl>(config, options)) {}

Gateway::~Gateway() = default;

std::expected<std::uint16_t, std::string> Gateway::listen() {
  const config::ListenAddress& address = impl_->config.listen;
  if (!address.is_loopback() && !impl_->config.allow_anonymous) {
    return std::unexpected(
        address.to_text() +
        " is reachable from other machines and anybody there could spend your keys; listen on 127.0.0.1 or "
        "set allow_anonymous: true");
  }
  auto port = address.host == "localhost" ? listen_on_localhost(*impl_->server, address.port)
                                          : impl_->server->listen(address.host, address.port);
  if (port && impl_->log) {
    LoopContext& first = *impl_->loop_contexts.front();
    first.loop.post([impl = impl_.get(), &first] { net::spawn(impl->watch_credentials(first)); });
  }
  return port;
}

void Gateway::drain(std::move_only_function<void()> done) {
  // In which callers are told why their calls end.
  constexpr Duration kShutdownGrace = std::chrono::seconds(1);
  impl_->draining.store(true, std::memory_order_relaxed);
  const TimePoint over = saturating_add(impl_->clock.now(), impl_->config.drain_timeout);
  for (const auto& loop_context : impl_->loop_contexts) {
    loop_context->loop.post(
        [loop_context = loop_context.get(), over] { net::spawn(shut_down_calls(*loop_context, over)); });
  }
  impl_->server->drain(Deadline::at(saturating_add(over, kShutdownGrace)), std::move(done));
}

void Gateway::change_routing(const config::Config& config) {
  Routing::Providers providers = make_providers(config, impl_->provider_ids);
  impl_->targets.apply(registry_options(config));
  auto next = std::make_shared<const Routing>(config, std::move(providers), impl_->targets, impl_->usage_askings);
  // What calls look up by its names is there before the first of them begins.
  impl_->series.add(next->series_names());
  impl_->failures.add(next->targets());
  impl_->direct_routes.adopt(next);
  for (const auto& loop_context : impl_->loop_contexts) {
    loop_context->loop.post([loop_context = loop_context.get(), next] {
      loop_context->routing = next;
      loop_context->clients.keep(next->providers());
    });
  }
  impl_->routing = std::move(next);
}

BreakerRegistry& Gateway::breakers() noexcept { return impl_->targets.breakers(); }

std::string Gateway::last_cause(std::string_view target) const {
  const auto last = impl_->failures.last(target);
  return last ? std::string(last->cause.view()) : std::string();
}

}  // namespace fuseboard::gateway
