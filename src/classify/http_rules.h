// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The rules of classify_http as data. Every row names its source; a new provider is a new row, not new code.
#pragma once

#include <string_view>

#include "classify/modifier.h"
#include "fuseboard/core/category.h"

namespace fuseboard::http_rules {

using enum Category;
using enum Modifier;

// What a rule found: a category with its departure.
struct Finding {
  Category category = execution_error;
  Modifier modifier = none;
};

struct StatusRow {
  int status;
  Finding finding;
};

// Statuses that are not what their hundred says (4xx invalid_request, all others service_unavailable).
inline constexpr StatusRow kStatuses[] = {
    {401, {authentication, none}},                  // RFC 9110, 15.5.2
    {402, {quota_exhausted, none}},                 // OpenRouter, DeepSeek: out of credit; Anthropic billing_error
    {403, {permission_denied, none}},               // RFC 9110, 15.5.4
    {404, {resource_not_found, none}},              // RFC 9110, 15.5.5
    {407, {authentication, none}},                  // RFC 9110, 15.5.8: a proxy on the way wants a credential
    {408, {timeout, none}},                         // RFC 9110, 15.5.9
    {410, {resource_not_found, none}},              // RFC 9110, 15.5.11
    {424, {service_unavailable, none}},             // Text Generation Inference: generation fault; Bedrock: model fault
    {429, {rate_limit, none}},                      // RFC 6585, section 4
    {451, {permission_denied, none}},               // RFC 7725: refused here for legal reasons
    {498, {overloaded, none}},                      // Groq: flex tier out of capacity
    {499, {cancelled, none}},                       // nginx: the client closed the request
    {501, {invalid_request, capability_mismatch}},  // RFC 9110, 15.6.2: this server never will, another may
    {504, {timeout, none}},                         // RFC 9110, 15.6.5
    {522, {timeout, none}},                         // Cloudflare: connecting to the origin timed out
    {524, {timeout, none}},                         // Cloudflare: the origin did not answer in time
    {529, {overloaded, none}},                      // Anthropic: overloaded_error
};

struct CodeRow {
  std::string_view text;  // exact
  Finding finding;
};

// Values of `error.code` and `error.type` that say more than their status. What is not here says nothing.
inline constexpr CodeRow kCodes[] = {
    {"insufficient_quota", {quota_exhausted, none}},                      // OpenAI error codes, 429
    {"billing_hard_limit_reached", {quota_exhausted, none}},              // OpenAI, 400 and 429
    {"billing_not_active", {quota_exhausted, none}},                      // OpenAI, 429
    {"billing_error", {quota_exhausted, none}},                           // Anthropic errors, 402
    {"usage_limit_reached", {quota_exhausted, none}},                     // OpenAI plan windows of hours and days, 429
    {"rate_limit_exceeded", {rate_limit, none}},                          // OpenAI, 429 and inside streams
    {"rate_limit_error", {rate_limit, none}},                             // Anthropic errors, 429 and inside streams
    {"rate_limit_reached", {rate_limit, none}},                           // DeepSeek error codes, 429
    {"rate_limit_reached_error", {rate_limit, none}},                     // Moonshot error codes, 429
    {"rate_limited", {rate_limit, none}},                                 // Mistral, 429; Fuseboard
    {"queue_full", {rate_limit, none}},                                   // Fuseboard
    {"RateLimitReached", {rate_limit, none}},                             // GitHub Models and Azure AI, 429
    {"ThrottlingException", {rate_limit, none}},                          // Bedrock InvokeModel
    {"throttlingException", {rate_limit, none}},                          // Bedrock event streams
    {"overloaded_error", {overloaded, none}},                             // Anthropic errors, 529 and inside streams
    {"engine_overloaded_error", {overloaded, none}},                      // Moonshot error codes, 429
    {"NoCapacity", {overloaded, none}},                                   // Azure OpenAI, 429
    {"service_tier_capacity_exceeded", {overloaded, none}},               // Mistral, 429
    {"3505", {overloaded, none}},                                         // Mistral's number for the same
    {"circuit_open", {circuit_open, none}},                               // Fuseboard
    {"deadline_exceeded", {timeout, none}},                               // Fuseboard
    {"timeout_error", {timeout, none}},                                   // Anthropic errors, 504
    {"invalid_api_key", {authentication, none}},                          // OpenAI, Groq, 401
    {"authentication_error", {authentication, none}},                     // Anthropic errors, DeepSeek, 401
    {"permission_error", {permission_denied, none}},                      // Anthropic errors, 403
    {"PermissionDenied", {permission_denied, none}},                      // Azure OpenAI, 401 and 403
    {"organization_restricted", {permission_denied, none}},               // Groq, 400
    {"unsupported_country_region_territory", {permission_denied, none}},  // OpenAI, 403
    {"model_not_found", {model_not_found, none}},                         // OpenAI, 403 and 404; Fuseboard
    {"model_decommissioned", {model_not_found, none}},                    // Groq deprecations, 400
    {"invalid_model", {model_not_found, none}},                           // Mistral, 400
    {"unknown_model", {model_not_found, none}},                           // GitHub Models, 400 and 404
    {"DeploymentNotFound", {model_not_found, none}},                      // Azure OpenAI, 404
    {"context_length_exceeded", {context_length_exceeded, none}},         // OpenAI, Azure, 400
    {"exceed_context_size_error", {context_length_exceeded, none}},       // llama.cpp server, 400
    {"3051", {context_length_exceeded, none}},                            // Mistral, 400
    {"content_filter", {content_policy, none}},                           // Azure OpenAI, 400
    {"content_policy_violation", {content_policy, none}},                 // OpenAI images and chat, 400
    {"ResponsibleAIPolicyViolation", {content_policy, none}},             // Azure OpenAI's inner error, 400
    {"moderation_blocked", {content_policy, none}},                       // OpenAI images, 400
    {"invalid_prompt", {content_policy, none}},                           // OpenAI reasoning models: usage policy, 400
    {"budget_exceeded", {policy_violation, none}},                // LiteLLM, 400; Fuseboard, 429: a cap of our own side
    {"vector_store_not_found", {resource_not_found, none}},       // OpenAI, 404
    {"previous_response_not_found", {resource_not_found, none}},  // OpenAI Responses, 400
    {"tool_use_failed", {execution_error, bad_model_output}},     // Groq, 400
    {"json_validate_failed", {execution_error, bad_model_output}},  // Groq, 400
    {"failed_dependency", {execution_error, none}},                 // Groq, 424: a remote tool of the request failed
    {"unsupported_parameter", {invalid_request, capability_mismatch}},  // OpenAI, 400
    {"extra_forbidden", {invalid_request, capability_mismatch}},        // Mistral (pydantic), 422
    {"OperationNotSupported", {invalid_request, capability_mismatch}},  // Azure OpenAI, 400
    {"not_supported_error", {invalid_request, capability_mismatch}},    // llama.cpp server, 501
    {"request_too_large", {invalid_request, none}},                     // Anthropic errors, 413; Fuseboard
};

struct PhraseRow {
  CategorySet within;        // the class as status and code left it
  std::string_view opening;  // how the message begins; a phrase inside it may be echoed input
  Finding finding;
};

inline constexpr PhraseRow kPhrases[] = {
    // OpenAI, Groq: "Request too large for gpt-4o ... Limit 30000, Requested 41000".
    {{rate_limit}, "Request too large for", {rate_limit, request_exceeds_window}},
    {{invalid_request}, "Request too large for", {rate_limit, request_exceeds_window}},                // Groq, 413
    {{rate_limit, service_unavailable}, "The model is overloaded", {overloaded, none}},                // Gemini, 503
    {{rate_limit}, "That model is currently overloaded", {overloaded, none}},                          // OpenAI, 429
    {{service_unavailable}, "The server is overloaded", {overloaded, none}},                           // OpenAI, 503
    {{invalid_request}, "Input tokens exceed the configured limit", {context_length_exceeded, none}},  // OpenAI, 400
    {{invalid_request, permission_denied}, "Input token count + ", {context_length_exceeded, none}},   // Together, 403
    {{invalid_request}, "Input is too long for requested model", {context_length_exceeded, none}},     // Bedrock, 400
    {{invalid_request}, "This model's maximum prompt length is", {context_length_exceeded, none}},     // xAI, 400
    {{invalid_request}, "You have reached your specified API usage limits", {quota_exhausted, none}},  // Anthropic, 400
    {{invalid_request}, "prompt is too long", {context_length_exceeded, none}},                        // Anthropic, 400
    {{invalid_request}, "input length and `max_tokens` exceed context limit", {context_length_exceeded, none}},  // same
    {{invalid_request}, "This model's maximum context length is", {context_length_exceeded, none}},  // vLLM, OpenAI
    // Text Generation Inference, 422 and inside streams; LM Studio, 500.
    {{invalid_request, service_unavailable}, "Input validation error: `inputs`", {context_length_exceeded, none}},
    {{invalid_request, service_unavailable}, "Context size has been exceeded", {context_length_exceeded, none}},
    {{invalid_request}, "Your credit balance is too low", {quota_exhausted, none}},             // Anthropic, 400
    {{invalid_request}, "Incorrect API key", {authentication, none}},                           // xAI, 400
    {{invalid_request}, "Output blocked by content filtering policy", {content_policy, none}},  // Anthropic, 400
    {{resource_not_found}, "model: ", {model_not_found, none}},                                 // Anthropic, 404
    {{resource_not_found}, "The model `", {model_not_found, none}},                             // OpenAI, vLLM, 404
    {{resource_not_found}, "model '", {model_not_found, none}},                                 // Ollama, 404
    {{resource_not_found}, "model \"", {model_not_found, none}},                                // Ollama, 404
};

}  // namespace fuseboard::http_rules
