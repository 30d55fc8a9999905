// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/model_paths.h"

#include <gtest/gtest.h>

namespace fuseboard::gateway {
namespace {

TEST(EndpointNumbers, AreOneForAPathWithItsVersionAndWithout) {
  EXPECT_EQ(endpoint_number("/v1/responses"), endpoint_number("/responses"));
  EXPECT_NE(endpoint_number("/v1/responses"), endpoint_number("/v1/chat/completions"));
  EXPECT_EQ(endpoint_path(endpoint_number("/embeddings")), "/v1/embeddings");
}

TEST(EndpointNumbers, UnknownPathsShareOneWithinTheBound) {  // CORE-5
  EXPECT_EQ(endpoint_number("/v1/fine_tuning/jobs"), endpoint_number("/v1/anything"));
  EXPECT_LT(endpoint_number("/v1/anything"), kMaxEndpoints);
  EXPECT_EQ(endpoint_path(endpoint_number("/v1/anything")), "other");
  EXPECT_NE(endpoint_number("/v1/chat"), endpoint_number("/v1/chat/completions"));
}

}  // namespace
}  // namespace fuseboard::gateway
