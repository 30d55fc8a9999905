// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/body_kind.h"

#include <gtest/gtest.h>

#include <string>

namespace fuseboard::gateway {
namespace {

TEST(BodyKind, AStreamIsKnownByItsFirstLine) {
  for (const std::string_view body : {"data: {}\n\n", "data:{}", "event: message_start\n", "id: 7\n", "retry: 3000\n",
                                      ": ping\n\n", ":", "\n\n: ping\n\n", "\r\n\r\ndata: x",
                                      "\xEF\xBB\xBF"
                                      "data: x",
                                      "\xEF\xBB\xBF\n:x"}) {
    EXPECT_EQ(body_kind(body), BodyKind::events) << body;
  }
}

TEST(BodyKind, AnObjectOrAnArrayIsNoStream) {
  for (const std::string_view body : {"{", "[", " \r\n\t{\"id\":1}", "\xEF\xBB\xBF{}"}) {
    EXPECT_EQ(body_kind(body), BodyKind::json) << body;
  }
}

TEST(BodyKind, EveryBeginningOfAStreamIsUnclearUntilItTells) {
  for (const std::string whole : {"data: x", "event: x", "id: x", "retry: 1", "\n\n\n:",
                                  "\xEF\xBB\xBF"
                                  "data:"}) {
    const std::size_t tells = whole.find(':') + 1;
    for (std::size_t size = 0; size < tells; ++size) {
      EXPECT_EQ(body_kind(whole.substr(0, size)), BodyKind::unclear) << whole.substr(0, size);
    }
    EXPECT_EQ(body_kind(whole.substr(0, tells)), BodyKind::events) << whole;
  }
}

TEST(BodyKind, OtherBodiesAreOther) {
  for (const std::string_view body : {"<html>", "database", "dat{", "\"data:\"", "ID: 1", "\xEF\xBBx"}) {
    EXPECT_EQ(body_kind(body), BodyKind::other) << body;
  }
}

}  // namespace
}  // namespace fuseboard::gateway
