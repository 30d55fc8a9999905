// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/diagnostics.h"
#include "cli/log.h"
#include "cli/signals.h"
#include "config/load.h"
#include "fuseboard/core/escape.h"
#include "gateway/demo.h"
#include "gateway/event_text.h"
#include "gateway/gateway.h"

namespace fuseboard::cli {
namespace {

constexpr const char* kVersion = FUSEBOARD_VERSION;

int fail(std::string_view message) {
  fmt::print(stderr, "fuseboard: {}\n", escape_unprintable(message));
  return kWrong;
}

void log_line(std::string_view line) { spdlog::info("{}", line); }

// For a person who pastes it: on the address that was given, or loopback where that means every address.
std::string url_of(const config::ListenAddress& listen, std::uint16_t port) {
  const bool any = listen.host == "0.0.0.0" || listen.host == "::";
  return "http://" + config::ListenAddress{.host = any ? "127.0.0.1" : listen.host, .port = port}.to_text();
}

void print_curl(const std::string& url, std::string_view model) {
  fmt::print(
      "\n  curl {}/v1/chat/completions -H 'content-type: application/json' \\\n"
      "    -d '{{\"model\":\"{}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n\n",
      url, model);
}

void print_key_advice() {
  for (const auto& [variable, provider, url] : {std::tuple{"OPENAI_API_KEY", "openai", "https://api.openai.com/v1"}}) {
    if (std::getenv(variable) == nullptr) continue;  // NOLINT(concurrency-mt-unsafe): before any thread starts
    fmt::print(
        "{} is set. The demo does not use it; to use it, write this to {}:\n\n"
        "  providers:\n    {}: {{dialect: openai, base_url: {}, api_key: ${{{}}}}}\n"
        "  models:\n    smart: {{targets: [{{provider: {}, model: gpt-5}}]}}\n\n",
        variable, kDefaultConfig, provider, url, variable, provider);
  }
}

int run_until_signalled(gateway::Gateway& gateway, const EndSignals& signals) {
  while (signals.wait() == EndSignals::Wake::hangup) {
    spdlog::info("SIGHUP: the configuration is read at the start alone; restart to change it");
  }
  spdlog::info("draining: calls in flight end, new ones are refused");
  gateway.drain([&signals] { signals.notify(); });
  EndSignals::Wake wake = signals.wait();
  while (wake == EndSignals::Wake::hangup) wake = signals.wait();
  if (wake == EndSignals::Wake::terminate) spdlog::info("second signal: closing every connection");
  spdlog::info("stopped");
  return kDone;
}

// Breaker transitions as they happen.
[[nodiscard]] Subscription log_breakers(gateway::Gateway& gateway) {
  return gateway.breakers().subscribe([&gateway](const BreakerEvent& event) {
    spdlog::info("{}", gateway::event_text(event, gateway.last_cause(event.key)));
  });
}

int serve_demo(const config::ListenAddress& listen, const EndSignals& signals, const Log& log) {
  gateway::Demo demo;
  const auto config = demo.start(listen);
  if (!config) return fail(config.error());
  gateway::Gateway gateway(
      *config, {.demo = true, .build = this_build(), .log = log_line, .log_dropped = [&log] { return log.dropped(); }});
  const Subscription breakers = log_breakers(gateway);
  const auto port = gateway.listen();
  if (!port) return fail(port.error());

  const std::string url = url_of(listen, *port);
  fmt::print(
      "Fuseboard {}: the demo. Two simulated providers, no keys; nothing leaves this machine.\n"
      "Listening on {}\n",
      kVersion, url);
  print_curl(url, gateway::Demo::kModel);
  fmt::print(
      "Two calls a second run by themselves. The first provider fails now and then: its circuit opens, the second\n"
      "answers, a probe finds the first well again. See {}/admin/v1/state and {}/metrics.\n\n",
      url, url);
  print_key_advice();
  std::fflush(stdout);
  if (listen.is_loopback()) demo.send_traffic(*port);
  return run_until_signalled(gateway, signals);
}

int serve_config(config::Config config, const EndSignals& signals, const Log& log) {
  gateway::Gateway gateway(config,
                           {.build = this_build(), .log = log_line, .log_dropped = [&log] { return log.dropped(); }});
  const Subscription breakers = log_breakers(gateway);
  const auto port = gateway.listen();
  if (!port) return fail(port.error());
  const std::string url = url_of(config.listen, *port);
  fmt::print("Fuseboard {}: {} over {}\nListening on {}\n", kVersion, counted(config.models.size(), "model"),
             counted(config.providers.size(), "provider"), url);
  if (!config.models.empty()) print_curl(url, config.models.front().alias);
  std::fflush(stdout);
  return run_until_signalled(gateway, signals);
}

}  // namespace

int serve(const ServeArguments& arguments) {
  std::optional<config::ListenAddress> listen;
  if (arguments.listen) {
    const auto parsed = config::parse_listen_address(*arguments.listen);
    if (!parsed) {
      fmt::print(stderr, "fuseboard: --listen: {}\n", parsed.error());
      return kUsage;
    }
    listen = *parsed;
  }
  const EndSignals signals;
  const Log log;
  raise_descriptor_limit();
  if (!arguments.config && !std::filesystem::exists(kDefaultConfig)) {
    config::Loaded nothing;
    warn_of_other_default(nothing);
    print_diagnostics(nothing);
    return serve_demo(listen.value_or(config::ListenAddress{}), signals, log);
  }
  config::Loaded loaded = config::load_file(arguments.config.value_or(kDefaultConfig), config::process_environment());
  print_diagnostics(loaded);
  if (!loaded.config) return fail("the configuration has problems; nothing was started");
  if (listen) loaded.config->listen = *listen;
  return serve_config(*std::move(loaded.config), signals, log);
}

}  // namespace fuseboard::cli
