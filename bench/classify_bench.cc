// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a judgement costs, beside a read of the clock: see breaker_bench.cc for the floor of the same name.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "fuseboard/classify/classifier.h"
#include "fuseboard/core/clock.h"

namespace fuseboard {
namespace {

using benchmark::DoNotOptimize;

// Nothing but a status speaks.
void Status(benchmark::State& state) {
  CallEvidence evidence{.status = 503};
  for (auto _ : state) {
    DoNotOptimize(evidence);
    DoNotOptimize(classify(evidence));
  }
}

// Nothing but a typed code.
void Typed(benchmark::State& state) {
  CallEvidence evidence{.channel = Channel::transport, .typed_code = "curl:28"};
  for (auto _ : state) {
    DoNotOptimize(evidence);
    DoNotOptimize(classify(evidence));
  }
}

// An error as OpenAI's dialect writes it, 400 bytes, with the headers that matter.
void Body(benchmark::State& state) {
  const std::string body =
      R"({"error":{"message":"Rate limit reached for gpt-4o in organization org-abcdefghijklmnopqrstuvwx on )"
      R"(tokens per min (TPM): Limit 30000, Used 29512, Requested 1833. Please try again in 2.69s. Visit )"
      R"(https://platform.openai.com/account/rate-limits to learn more. You can increase your rate limit by adding a )"
      R"(payment card to your account, under billing settings there.","type":"tokens","param":null,)"
      R"("code":"rate_limit_exceeded"}})";
  const HeaderField headers[] = {{"content-type", "application/json"},
                                 {"x-ratelimit-remaining-tokens", "488"},
                                 {"x-ratelimit-reset-tokens", "2.69s"},
                                 {"x-request-id", "req_0123456789abcdef"}};
  CallEvidence evidence{.status = 429, .headers = headers, .body = body};
  for (auto _ : state) {
    DoNotOptimize(evidence);
    DoNotOptimize(classify(evidence));
  }
  state.counters["bytes"] = static_cast<double>(body.size());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

// A large answer under a 200 in which nothing failed: what reading it through costs.
void LargeAnswer(benchmark::State& state) {
  std::string body = R"({"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":")";
  body += std::string(1 << 20, 'a');
  body += R"("},"finish_reason":"stop"}]})";
  CallEvidence evidence{.status = 200, .body = body};
  for (auto _ : state) {
    DoNotOptimize(evidence);
    DoNotOptimize(classify(evidence));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

void ClockRead(benchmark::State& state) {
  const Clock& clock = SteadyClock::instance();
  for (auto _ : state) DoNotOptimize(clock.now());
}

BENCHMARK(ClockRead)->Name("Classify/FloorClockRead");
BENCHMARK(Status)->Name("Classify/Status");
BENCHMARK(Typed)->Name("Classify/Typed");
BENCHMARK(Body)->Name("Classify/Body");
BENCHMARK(LargeAnswer)->Name("Classify/LargeAnswer");

}  // namespace
}  // namespace fuseboard
