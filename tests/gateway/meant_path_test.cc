// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/meant_path.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/routes.h"

namespace fuseboard::gateway {
namespace {

TEST(MeantPath, IsTheOneWithAPartMoreOrLess) {
  for (const auto& [path, meant] : {std::pair{"/chat/completions", "/v1/chat/completions"},
                                    {"/v1/v1/chat/completions", "/v1/chat/completions"},
                                    {"/v1/v1/v1/messages", "/v1/messages"},
                                    {"/v1/v1/files", "/v1/files"},
                                    {"/v1/chat/completions/", "/v1/chat/completions"},
                                    {"//v1//chat/completions//", "/v1/chat/completions"},
                                    {"/chat/completions/", "/v1/chat/completions"},
                                    {"/openai/v1/chat/completions", "/v1/chat/completions"},
                                    {"/anthropic/v1/messages", "/v1/messages"},
                                    {"/api/v1/responses", "/v1/responses"},
                                    {"/messages/count_tokens", "/v1/messages/count_tokens"},
                                    {"/models", "/v1/models"},
                                    {"/models/smart", "/v1/models/smart"},
                                    {"/v1/models/", "/v1/models"},
                                    {"/embeddings", "/v1/embeddings"},
                                    {"/healthz/", "/healthz"},
                                    {"/metrics/", "/metrics"},
                                    {"/admin/v1/state/", "/admin/v1/state"}}) {
    EXPECT_EQ(meant_path(path, route_table()), meant) << path;
  }
}

TEST(MeantPath, IsNoneWhereThePathIsRightOrNobodyKnows) {
  for (const char* path : {"/v1/chat/completions", "/v1/models/smart", "/healthz", "/", "", "*", "/v1", "/v1/",
                           "/favicon.ico", "/v1/threads/abc/messages", "/v1/files/", "/v1/custom/", "/v2/v2/chat",
                           "chat/completions", "/chat/completions2"})
    EXPECT_EQ(meant_path(path, route_table()), std::nullopt) << path;
  EXPECT_EQ(meant_path("/" + std::string(182, 'a') + "/chat/completions", route_table()), "/v1/chat/completions");
  EXPECT_EQ(meant_path("/" + std::string(183, 'a') + "/chat/completions", route_table()), std::nullopt)
      << "200 bytes at most";
}

}  // namespace
}  // namespace fuseboard::gateway
