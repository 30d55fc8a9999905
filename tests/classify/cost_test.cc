// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a judgement must not do: allocate, or take long over any input. Nothing is timed here.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "fuseboard/classify/classifier.h"

#if defined(__has_feature)
#define FUSEBOARD_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define FUSEBOARD_SANITIZED 0
#endif

namespace {

thread_local std::uint64_t allocations = 0;

}  // namespace

// A sanitizer brings an operator new of its own, so there nothing is counted and nothing fails.
#if !FUSEBOARD_SANITIZED
namespace {

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  size = (size + alignment - 1) / alignment * alignment;
  if (void* const memory = std::aligned_alloc(alignment, size)) return memory;
  throw std::bad_alloc();
}

// Not inlined: g++ would see free() meet operator new, and warn.
[[gnu::noinline]] void give_back(void* memory) noexcept { std::free(memory); }

}  // namespace

// The other forms of new and delete call these.
void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }
#endif

namespace fuseboard {
namespace {

std::uint64_t allocations_of(const CallEvidence& evidence, Category expected) {
  const std::uint64_t before = allocations;
  const Classification judged = classify(evidence);
  const std::uint64_t made = allocations - before;
  EXPECT_TRUE(judged.failure && judged.failure->category == expected) << evidence.body.substr(0, 80);
  return made;
}

TEST(ClassifyCost, AStatusOrATypedCodeDecidesWithoutAnAllocation) {
  EXPECT_EQ(allocations_of({.status = 503}, Category::service_unavailable), 0U);
  EXPECT_EQ(allocations_of({.channel = Channel::transport, .typed_code = "curl:28"}, Category::timeout), 0U);
  EXPECT_EQ(allocations_of({.channel = Channel::process, .exit_code = 127}, Category::tool_not_found), 0U);
}

TEST(ClassifyCost, NorDoesABodyAllocate) {
  const std::string body =
      R"({"error":{"message":"say \"please\" and try again in 20s","code":"rate_limit_exceeded"}})";
  EXPECT_EQ(allocations_of({.status = 429, .body = body}, Category::rate_limit), 0U);
  const std::string page = "<html>" + std::string(100'000, 'x') + "</html>";
  EXPECT_EQ(allocations_of({.status = 502, .body = page}, Category::service_unavailable), 0U);
}

// Each of these would be slow, deep or large for a reader that is not bounded.
std::vector<std::string> hostile_bodies() {
  constexpr std::size_t kLarge = 10U << 20U;
  const std::string closed = std::string(10'000, '}');
  std::string nested;
  for (int i = 0; i < 10'000; ++i) nested += R"({"error":)";
  std::string arrays(10'000, '[');
  std::string strings = R"({"error":{"message":"{\"error\":{\"message\":\"{\\\"error\\\":{\\\"message\\\":\\\"{)";
  std::string many = "{";
  for (int i = 0; i < 100'000; ++i) many += R"("code":"x","message":"rate limit",)";
  std::string words;
  while (words.size() < kLarge) words += "model model model does not rate limit ";
  return {nested,
          nested + "1" + closed,
          arrays,
          strings,
          many,
          words,
          R"({"error":{"message":")" + words + R"("}})",
          std::string(kLarge, '\xff'),
          std::string(kLarge, '{'),
          std::string(kLarge, '"'),
          std::string(kLarge, '\\'),
          std::string(kLarge, '\n'),
          "data: " + std::string(kLarge, '['),
          std::string("\xed\xa0\x80\xc0\xaf{\"error\":\"\xff\xfe\"}")};
}

TEST(ClassifyCost, AnyBodyIsJudgedOnEveryChannelWithoutAnAllocation) {
  for (const std::string& body : hostile_bodies()) {
    for (const Channel channel :
         {Channel::http, Channel::sse, Channel::transport, Channel::mcp, Channel::process, Channel::message}) {
      for (const int status : {0, 200, 500}) {
        const std::uint64_t before = allocations;
        const Classification judged = classify({.channel = channel, .status = status, .body = body, .message = body});
        EXPECT_EQ(allocations, before);
        EXPECT_FALSE(judged.rule.kind.empty());
        const bool is_error = channel == Channel::http && status == 500;
        EXPECT_TRUE(!is_error || judged.failure.has_value());
      }
    }
  }
}

}  // namespace
}  // namespace fuseboard
