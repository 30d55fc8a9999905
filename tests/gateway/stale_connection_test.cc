// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/stale_connection.h"

#include <gtest/gtest.h>

namespace fuseboard::gateway {
namespace {

using std::chrono::milliseconds;
using Head = std::expected<net::ResponseHead, net::TransportError>;

Head broken(net::TransportError::Kind kind) { return std::unexpected(net::TransportError{.kind = kind}); }

TEST(StaleConnection, BreaksAtOnceOrSaysThatItHadEnoughOfWaiting) {  // RTY-6.3
  EXPECT_TRUE(was_stale(broken(net::TransportError::reset), milliseconds(0)));
  EXPECT_TRUE(was_stale(broken(net::TransportError::closed_early), milliseconds(250)));
  EXPECT_TRUE(was_stale(net::ResponseHead{.status = 408, .headers = {{"connection", "close"}}}, milliseconds(1)));
}

TEST(StaleConnection, ThatBreaksLaterHadAServerThatReadTheRequest) {  // RTY-6.5
  EXPECT_FALSE(was_stale(broken(net::TransportError::reset), milliseconds(251)));
  EXPECT_FALSE(was_stale(net::ResponseHead{.status = 408, .headers = {{"connection", "close"}}}, milliseconds(251)));
}

TEST(StaleConnection, AnAnswerOrASilenceIsNone) {  // RTY-6.3
  EXPECT_FALSE(was_stale(net::ResponseHead{.status = 200, .headers = {{"connection", "close"}}}, milliseconds(1)));
  EXPECT_FALSE(was_stale(net::ResponseHead{.status = 408}, milliseconds(1))) << "this connection lives on";
  EXPECT_FALSE(was_stale(broken(net::TransportError::truncated), milliseconds(1))) << "in the middle of its answer";
  EXPECT_FALSE(was_stale(broken(net::TransportError::head_timeout), milliseconds(1)));
}

}  // namespace
}  // namespace fuseboard::gateway
