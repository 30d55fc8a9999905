// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/transport.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace fuseboard {
namespace {

using enum TransportFault;

constexpr TransportFault kAll[] = {
    resolve,          connect_refused, connect_timeout, connect_failed,        tls,          tls_certificate, reset,
    closed_early,     truncated,       head_timeout,    first_content_timeout, idle_timeout, total_timeout,   malformed,
    local_exhaustion, cancelled};

TEST(ClassifyTransport, NoCompleteResponseIsNetworkAndADeadlineIsTimeout) {
  for (const TransportFault fault : {resolve, connect_refused, connect_failed, tls, reset, closed_early, truncated}) {
    EXPECT_EQ(classify_transport(fault), Failure::of(Category::network)) << name(fault);
  }
  for (const TransportFault fault :
       {connect_timeout, head_timeout, first_content_timeout, idle_timeout, total_timeout}) {
    EXPECT_EQ(classify_transport(fault), Failure::of(Category::timeout)) << name(fault);
  }
}

TEST(ClassifyTransport, AnUntrustedCertificateCountsButIsNotRetried) {
  Failure expected = Failure::of(Category::network);
  expected.retryable = false;
  EXPECT_EQ(classify_transport(tls_certificate), expected);
}

TEST(ClassifyTransport, OurOwnExhaustionBlamesNoTarget) {
  const Failure judged = classify_transport(local_exhaustion);
  EXPECT_EQ(judged.category, Category::resource_exhausted);
  EXPECT_EQ(judged.evidence, Evidence::does_not_count);
  EXPECT_FALSE(judged.fallback);
}

TEST(ClassifyTransport, BytesThatAreNoProtocolAreTheServersFaultAndCancellationIsNobodys) {
  EXPECT_EQ(classify_transport(malformed), Failure::of(Category::service_unavailable));
  EXPECT_EQ(classify_transport(cancelled), Failure::of(Category::cancelled));
}

TEST(ClassifyTransport, EveryFaultHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const TransportFault fault : kAll) names.insert(name(fault));
  EXPECT_EQ(names.size(), std::size(kAll));
}

TEST(ClassifyStreamEnd, AStreamWithoutItsTerminalEventIsANetworkFailure) {  // STR-2
  EXPECT_EQ(classify_stream_end(false, std::nullopt), Failure::of(Category::network));
  EXPECT_EQ(classify_stream_end(true, std::nullopt), std::nullopt);
}

TEST(ClassifyStreamEnd, AnInBandErrorWinsOverTheTerminalEvent) {  // STR-2
  const Failure error = Failure::of(Category::overloaded);
  EXPECT_EQ(classify_stream_end(true, error), error);
  EXPECT_EQ(classify_stream_end(false, error), error);
}

}  // namespace
}  // namespace fuseboard
