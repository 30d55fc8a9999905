// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A client at a constant rate, for the latency figures of scripts/bench: POSTs standard input to a URL and prints
// quantiles as JSON.
//
//   relay_load URL RATE MILLISECONDS CONNECTIONS <BODY
//
// The rate is kept whatever the server does (an open loop), and a request whose time passed while every connection was
// busy counts from its time, not from when it could be sent: otherwise a server that stalls is asked less often while
// it does so, and looks better than it is ("coordinated omission").
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "net/client.h"
#include "net/loop.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPatience = 10s;
constexpr std::size_t kLongestAnswer = std::size_t{1} << 20U;

struct Run {
  net::Origin origin;
  std::string target;  // the path
  std::string body;
  Duration interval{};
  std::size_t total = 0;
  TimePoint start{};

  std::size_t next = 0;
  std::size_t failed = 0;
  std::size_t working = 0;
  std::vector<Duration> latencies{};
  std::vector<Duration> lateness{};  // of the client's own timer, which no server is to blame for
};

net::Task<bool> ask(net::HttpClient& client, const Run& run) {
  const net::RequestHead head{
      .method = "POST", .target = run.target, .headers = {{"content-type", "application/json"}}};
  const TimePoint by = saturating_add(client.loop().now(), kPatience);
  net::ClientExchange exchange = client.exchange(run.origin);
  const auto answer = co_await exchange.send(head, run.body, {.connect_by = by, .head_by = by});
  if (!answer) co_return false;
  const auto body = co_await exchange.read_all(kLongestAnswer, by);
  co_return body.has_value() && answer->status == 200;
}

// One connection: takes the next request that is due, until there is none.
net::Task<void> work(net::Loop& loop, Run& run) {
  net::HttpClient client(loop);
  // Connecting is not what is measured.
  if (!co_await ask(client, run)) ++run.failed;
  while (run.next < run.total) {
    const TimePoint due = saturating_add(run.start, run.interval * static_cast<std::int64_t>(run.next++));
    TimePoint began = due;
    if (loop.now() < due) {
      co_await loop.sleep_until(due);
      began = loop.now();
      run.lateness.push_back(elapsed(due, began));
    }
    if (!co_await ask(client, run)) ++run.failed;
    run.latencies.push_back(elapsed(began, loop.now()));
  }
  if (--run.working == 0) loop.stop();
}

double quantile(std::vector<Duration>& sorted, double q) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1));
  return std::chrono::duration<double, std::micro>(sorted[at]).count();
}

void print(Run& run) {
  std::ranges::sort(run.latencies);
  std::ranges::sort(run.lateness);
  fmt::print(R"({{"requests":{},"failed":{},"p50_us":{:.1f},"p90_us":{:.1f},"p99_us":{:.1f},"max_us":{:.1f},)"
             R"("timer_p99_us":{:.1f}}})"
             "\n",
             run.latencies.size(), run.failed, quantile(run.latencies, 0.5), quantile(run.latencies, 0.9),
             quantile(run.latencies, 0.99), quantile(run.latencies, 1), quantile(run.lateness, 0.99));
}

// A number from 1 to 1 000 000; 0 where `text` is none.
std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= 1'000'000;
  return good ? value : 0;
}

int main_of(const std::vector<std::string_view>& arguments) {
  const std::string_view url = arguments.empty() ? std::string_view() : arguments[0];
  const std::size_t path = std::min(url.find('/', url.find("://") + 3), url.size());
  const auto origin =
      arguments.size() == 4 ? net::parse_origin(url.substr(0, path)) : std::unexpected(std::string("no URL"));
  const std::int64_t rate = origin ? number(arguments[1]) : 0;
  const std::int64_t milliseconds = origin ? number(arguments[2]) : 0;
  const std::int64_t connections = origin ? number(arguments[3]) : 0;
  if (rate == 0 || milliseconds == 0 || connections == 0) {
    fmt::print(stderr, "usage: relay_load URL RATE MILLISECONDS CONNECTIONS <BODY\n");
    return 2;
  }
  net::Loop loop;
  Run run{.origin = *origin,
          .target = std::string(url.substr(path)),
          .body = {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()},
          .interval = Duration(1s) / rate,
          .total = static_cast<std::size_t>(rate * milliseconds / 1000),
          // Time for every connection to be made.
          .start = saturating_add(loop.now(), 300ms),
          .working = static_cast<std::size_t>(connections)};
  loop.post([&] {
    for (std::int64_t i = 0; i < connections; ++i) net::spawn(work(loop, run));
  });
  loop.run();
  print(run);
  return run.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace fuseboard

int main(int argc, char** argv) { return fuseboard::main_of({argv + 1, argv + argc}); }
