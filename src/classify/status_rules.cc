// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/rules.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;
using enum Modifier;

constexpr StatusRow kStatuses[] = {
    {400, invalid_request, "RFC 9110, 15.5.1"},
    {401, authentication, "RFC 9110, 15.5.2"},
    {402, quota_exhausted, "OpenRouter and DeepSeek error codes: out of credit; Anthropic billing_error"},
    {403, permission_denied, "RFC 9110, 15.5.4"},
    {404, resource_not_found, "RFC 9110, 15.5.5"},
    {407, authentication, "RFC 9110, 15.5.8: a proxy on the way wants a credential"},
    {408, timeout, "RFC 9110, 15.5.9"},
    {409, {invalid_request, conflict}, "RFC 9110, 15.5.10; OpenAI and Anthropic SDKs retry it as a lock timeout"},
    {410, resource_not_found, "RFC 9110, 15.5.11"},
    {419, authentication, "Laravel and others: the page or token expired"},
    {424, service_unavailable, "Text Generation Inference: generation fault; Bedrock: model fault"},
    {425, service_unavailable, "RFC 8470: too early, may be sent again"},
    {429, rate_limit, "RFC 6585, section 4"},
    {440, authentication, "Microsoft IIS: login timeout"},
    {444, network, "nginx: closed without an answer"},
    {451, permission_denied, "RFC 7725: refused here for legal reasons"},
    {460, cancelled, "AWS load balancers: the client closed the connection"},
    {498, overloaded, "Groq: flex tier out of capacity"},
    {499, cancelled, "nginx: the client closed the request"},
    {501, {invalid_request, capability_mismatch}, "RFC 9110, 15.6.2: this server never will, another may"},
    {504, timeout, "RFC 9110, 15.6.5"},
    {507, resource_exhausted, "RFC 4918, 11.5: insufficient storage"},
    {508, {invalid_request, capability_mismatch}, "RFC 5842, 7.2: the request came round; another path may not"},
    {509, quota_exhausted, "cPanel: bandwidth limit exceeded"},
    {511, authentication, "RFC 6585, section 6"},
    {522, timeout, "Cloudflare: connecting to the origin timed out"},
    {524, timeout, "Cloudflare: the origin did not answer in time"},
    {529, overloaded, "Anthropic errors: overloaded_error"},
};
constexpr StatusRow kOther4xx = {400, invalid_request, "RFC 9110, 15.5: the client is at fault"};
// A 5xx, an error inside a 2xx that says no more, a redirect or a number that is no status: the server gave nothing
// usable.
constexpr StatusRow kOther = {500, service_unavailable, "RFC 9110, 15.6: the server is at fault"};

}  // namespace

const StatusRow& status_row(int status) noexcept {
  for (const StatusRow& row : kStatuses) {
    if (row.status == status) return row;
  }
  return status >= 400 && status <= 499 ? kOther4xx : kOther;
}

}  // namespace fuseboard::classify_internal
