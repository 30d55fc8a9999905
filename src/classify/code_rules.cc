// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <array>

#include "classify/fold.h"
#include "classify/rules.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;
using enum Modifier;
using enum Weight;

// Compared as code_hash says: "RateLimitError", "rate_limit_error" and "RATE-LIMIT" are one row.
constexpr CodeRow kCodes[] = {
    // Throttles.
    {"rate_limit_exceeded", decides, Means(rate_limit), "OpenAI error codes, 429 and inside streams"},
    {"rate_limit_error", decides, Means(rate_limit), "Anthropic errors, 429 and inside streams; SDKs' RateLimitError"},
    {"rate_limit_reached", decides, Means(rate_limit), "DeepSeek error codes, 429; GitHub Models"},
    {"rate_limit_reached_error", decides, Means(rate_limit), "Moonshot error codes, 429"},
    {"rate_limited", decides, Means(rate_limit), "Mistral, 429; Fuseboard; Slack"},
    {"ratelimited", decides, Means(rate_limit), "Slack Web API errors"},
    {"rate_limit_exception", decides, Means(rate_limit), "client libraries by convention"},
    {"RateLimitExceededException", decides, Means(rate_limit), "AWS services"},
    {"tokens_exceeded_error", as_status, Means(rate_limit), "Cloudflare Workers AI"},
    {"too_many_requests", decides, Means(rate_limit), "Cohere, Perplexity, Replicate: 429"},
    {"TooManyRequestsException", decides, Means(rate_limit), "AWS API Gateway, Lambda"},
    {"TooManyRequests", decides, Means(rate_limit), "Azure API Management, Google API client"},
    {"queue_full", decides, Means(rate_limit), "Fuseboard"},
    {"ThrottlingException", decides, Means(rate_limit), "Bedrock InvokeModel, also in event streams"},
    {"Throttling", decides, Means(rate_limit), "AWS common errors; Alibaba DashScope error codes"},
    {"ThrottledException", decides, Means(rate_limit), "AWS SDK retryable codes"},
    {"throttled", decides, Means(rate_limit), "Django REST framework"},
    {"RequestThrottled", decides, Means(rate_limit), "AWS SDK retryable codes"},
    {"RequestThrottledException", decides, Means(rate_limit), "AWS SDK retryable codes"},
    {"RequestLimitExceeded", decides, Means(rate_limit), "AWS SDK retryable codes"},
    {"BandwidthLimitExceeded", decides, Means(rate_limit), "AWS SDK retryable codes"},
    {"LimitExceededException", decides, Means(rate_limit), "AWS SDK retryable codes"},
    {"ProvisionedThroughputExceededException", decides, Means(rate_limit), "AWS SDK retryable codes"},
    {"TransactionInProgressException", decides, Means(rate_limit), "AWS SDK retryable codes"},
    {"SlowDown", decides, Means(rate_limit), "Amazon S3 error codes; RFC 8628 slow_down"},
    {"PriorRequestNotComplete", decides, Means(rate_limit), "AWS SDK retryable codes"},
    {"Throttling.RateQuota", decides, Means(rate_limit), "Alibaba DashScope error codes"},
    {"RateQuota", decides, Means(rate_limit), "Alibaba DashScope error codes"},
    {"BurstRate", decides, Means(rate_limit), "Alibaba DashScope error codes"},
    {"rateLimitExceeded", decides, Means(rate_limit), "Google API errors"},
    {"userRateLimitExceeded", decides, Means(rate_limit), "Google API errors, 403"},
    {"concurrentLimitExceeded", decides, Means(rate_limit), "Google API errors"},
    {"secondary_rate_limit", decides, Means(rate_limit), "GitHub REST API"},
    {"throttling_error", decides, Means(rate_limit), "LiteLLM proxy, 429"},
    {"in_flight_budget_exhausted", decides, Means(rate_limit), "OpenRouter errors, 402 with retry-after"},
    {"openrouter_in_flight_budget", decides, Means(rate_limit), "OpenRouter errors, metadata.limit_source"},
    {"concurrency_limit_exceeded", decides, Means(rate_limit), "providers of hosted models, 429"},
    {"resource_exhausted", as_status, Means(rate_limit), "google.rpc.Code, 429"},
    {"1300", as_status, Means(rate_limit), "Mistral: rate limit"},
    {"1302", decides, Means(rate_limit), "Zhipu error codes: concurrency"},
    {"1303", decides, Means(rate_limit), "Zhipu error codes: frequency"},
    {"1305", decides, Means(rate_limit), "Zhipu error codes: request rate"},
    {"1015", decides, Means(rate_limit), "Cloudflare 1xxx errors"},
    {"local_rate_limited", decides, Means(rate_limit), "Envoy local rate limit filter"},

    // Quotas.
    {"insufficient_quota", decides, Means(quota_exhausted), "OpenAI error codes, 429"},
    {"billing_hard_limit_reached", decides, Means(quota_exhausted), "OpenAI, 400 and 429"},
    {"billing_limit", decides, Means(quota_exhausted), "OpenAI, 429"},
    {"billing_not_active", decides, Means(quota_exhausted), "OpenAI, 429"},
    {"billing_error", decides, Means(quota_exhausted), "Anthropic errors, 402"},
    {"usage_limit_reached", decides, Means(quota_exhausted), "OpenAI plan windows of hours and days, 429"},
    {"usage_limit_exceeded", decides, Means(quota_exhausted), "OpenAI plan windows, 429"},
    {"usage_not_included", decides, Means(quota_exhausted), "OpenAI plans, 429"},
    {"enforced_spend_limit_reached", decides, Means(quota_exhausted), "Anthropic errors, details.error_code"},
    {"credit_limit", decides, Means(quota_exhausted), "Together AI error codes, 402"},
    {"credit_balance_too_low", decides, Means(quota_exhausted), "Anthropic errors"},
    {"insufficient_credits", decides, Means(quota_exhausted), "OpenRouter and others, 402"},
    {"insufficient_balance", decides, Means(quota_exhausted), "DeepSeek error codes, 402"},
    {"insufficient_user_quota", decides, Means(quota_exhausted), "One API"},
    {"insufficient_funds", decides, Means(quota_exhausted), "providers of hosted models"},
    {"payment_required", decides, Means(quota_exhausted), "RFC 9110, 15.5.3"},
    {"exceeded_current_quota_error", decides, Means(quota_exhausted), "Moonshot error codes, 429"},
    {"quota_exceeded", decides, Means(quota_exhausted), "OpenAI and others: plan quota"},
    {"quotaExceeded", decides, Means(quota_exhausted), "Google API errors"},
    {"dailyLimitExceeded", decides, Means(quota_exhausted), "Google API errors, 403"},
    {"spend_limit_exceeded", decides, Means(quota_exhausted), "providers of hosted models"},
    {"monthly_limit_exceeded", decides, Means(quota_exhausted), "providers of hosted models"},
    {"AllocationQuota", decides, Means(quota_exhausted), "Alibaba DashScope: Throttling.AllocationQuota"},
    {"Arrearage", decides, Means(quota_exhausted), "Alibaba DashScope error codes"},
    {"ServiceQuotaExceededException", as_status, Means(quota_exhausted), "Bedrock InvokeModel"},
    {"1113", decides, Means(quota_exhausted), "Zhipu error codes: account in arrears"},
    {"1304", decides, Means(quota_exhausted), "Zhipu error codes: daily limit"},

    // No capacity for anybody.
    {"overloaded_error", decides, Means(overloaded), "Anthropic errors, 529 and inside streams"},
    {"overloaded", decides, Means(overloaded), "providers and proxies by convention"},
    {"engine_overloaded_error", decides, Means(overloaded), "Moonshot error codes, 429"},
    {"engine_overloaded", decides, Means(overloaded), "OpenAI error codes, 503"},
    {"server_overloaded", decides, Means(overloaded), "OpenAI Responses API"},
    {"server_is_overloaded", decides, Means(overloaded), "OpenAI Responses API"},
    {"slow_down_overload", decides, Means(overloaded), "OpenAI error codes: slow down"},
    {"model_overloaded", decides, Means(overloaded), "providers of hosted models"},
    {"NoCapacity", decides, Means(overloaded), "Azure OpenAI, 429"},
    {"no_capacity", decides, Means(overloaded), "the same"},
    {"capacity_exceeded", decides, Means(overloaded), "Groq flex processing, 498"},
    {"insufficient_system_resource", decides, Means(overloaded), "DeepSeek finish reasons"},
    {"service_tier_capacity_exceeded", decides, Means(overloaded), "Mistral, 429"},
    {"model_capacity_exhausted", decides, Means(overloaded), "Google Cloud Code, ErrorInfo.reason"},
    {"3505", decides, Means(overloaded), "Mistral: service tier capacity"},
    {"overloaded_exception", decides, Means(overloaded), "Text Generation Inference clients"},
    {"flex_capacity_exceeded", decides, Means(overloaded), "Groq flex processing"},
    {"ModelOverloaded", decides, Means(overloaded), "Alibaba DashScope, ByteDance Ark: ServerOverloaded"},
    {"too_many_connections", decides, Means(overloaded), "MySQL 1040, PostgreSQL 53300"},

    // Breakers and routers.
    {"circuit_open", decides, Means(circuit_open), "Fuseboard"},
    {"circuit_breaker_open", decides, Means(circuit_open), "proxies by convention"},
    {"CallNotPermittedException", decides, Means(circuit_open), "resilience4j CircuitBreaker"},
    {"BrokenCircuitException", decides, Means(circuit_open), "Polly circuit breaker"},
    {"CircuitBreakerError", decides, Means(circuit_open), "pybreaker, Python circuitbreaker"},
    {"CircuitBreakerOpenException", decides, Means(circuit_open), "MicroProfile Fault Tolerance"},
    {"CircuitBreakerOpenError", decides, Means(circuit_open), "client libraries by convention"},
    {"BreakerOpen", decides, Means(circuit_open), "client libraries by convention"},
    {"EOPENBREAKER", decides, Means(circuit_open), "opossum (Node.js)"},
    {"no_deployments_available", decides, Means(circuit_open), "LiteLLM router cooldown"},

    // Time.
    {"deadline_exceeded", as_status, Means(timeout), "google.rpc.Code, 504; Fuseboard"},
    {"timeout_error", decides, Means(timeout), "Anthropic errors, 504; Python TimeoutError"},
    {"timeout", decides, Means(timeout), "APIs by convention; OpenAI Responses API"},
    {"request_timeout", decides, Means(timeout), "APIs by convention, 408"},
    {"RequestTimeoutException", decides, Means(timeout), "AWS SDK retryable codes"},
    {"gateway_timeout", decides, Means(timeout), "APIs by convention, 504"},
    {"ModelTimeoutException", decides, Means(timeout), "Bedrock InvokeModel, 408, also in event streams"},
    {"FUNCTION_INVOCATION_TIMEOUT", decides, Means(timeout), "Vercel error codes, 504"},
    {"EDGE_FUNCTION_INVOCATION_TIMEOUT", decides, Means(timeout), "Vercel error codes, 504"},
    {"APITimeoutError", exception, Means(timeout), "OpenAI and Anthropic Python SDKs"},
    {"APIConnectionTimeoutError", exception, Means(timeout), "OpenAI and Anthropic Node SDKs"},
    {"APIConnectionTimeout", exception, Means(timeout), "the same"},
    {"ReadTimeout", exception, Means(timeout), "requests, httpx"},
    {"ConnectTimeout", exception, Means(timeout), "requests, httpx"},
    {"WriteTimeout", exception, Means(timeout), "httpx"},
    {"PoolTimeout", exception, Means(timeout), "httpx"},
    {"ReadTimeoutError", exception, Means(timeout), "urllib3"},
    {"ConnectTimeoutError", exception, Means(timeout), "urllib3, undici"},
    {"ServerTimeoutError", exception, Means(timeout), "aiohttp"},
    {"ConnectionTimeoutError", exception, Means(timeout), "aiohttp"},
    {"SocketTimeoutException", exception, Means(timeout), "java.net"},
    {"HttpTimeoutException", exception, Means(timeout), "java.net.http"},
    {"HttpConnectTimeoutException", exception, Means(timeout), "java.net.http"},
    {"ConnectTimeoutException", exception, Means(timeout), "Netty, Apache HttpClient"},
    {"ReadTimeoutException", exception, Means(timeout), "Netty"},
    {"TimeoutException", exception, Means(timeout), "Java, .NET"},
    {"TimeoutExpired", exception, Means(timeout), "Python subprocess"},
    {"HeadersTimeoutError", exception, Means(timeout), "undici"},
    {"BodyTimeoutError", exception, Means(timeout), "undici"},
    {"EndpointConnectionTimeout", exception, Means(timeout), "botocore"},

    // Connections.
    {"APIConnectionError", exception, Means(network), "OpenAI and Anthropic SDKs"},
    {"ConnectionError", exception, Means(network), "Python, requests"},
    {"ConnectionRefusedError", exception, Means(network), "Python"},
    {"ConnectionResetError", exception, Means(network), "Python"},
    {"ConnectionAbortedError", exception, Means(network), "Python"},
    {"BrokenPipeError", exception, Means(network), "Python"},
    {"ConnectError", exception, Means(network), "httpx"},
    {"ReadError", exception, Means(network), "httpx"},
    {"RemoteProtocolError", exception, Means(network), "httpx"},
    {"NewConnectionError", exception, Means(network), "urllib3"},
    {"NameResolutionError", exception, Means(network), "urllib3"},
    {"ProtocolError", exception, Means(network), "urllib3"},
    {"IncompleteRead", exception, Means(network), "Python http.client"},
    {"RemoteDisconnected", exception, Means(network), "Python http.client"},
    {"ChunkedEncodingError", exception, Means(network), "requests"},
    {"SSLError", exception, Means(network), "requests, Python ssl"},
    {"SSLCertVerificationError", exception, Means(network, untrusted_certificate), "Python ssl"},
    {"SSLPeerUnverifiedException", exception, Means(network, untrusted_certificate), "javax.net.ssl"},
    {"CertPathValidatorException", exception, Means(network, untrusted_certificate), "java.security.cert"},
    {"CertPathBuilderException", exception, Means(network, untrusted_certificate), "java.security.cert"},
    {"ClientConnectorError", exception, Means(network), "aiohttp"},
    {"ClientConnectorCertificateError", exception, Means(network, untrusted_certificate), "aiohttp"},
    {"ClientOSError", exception, Means(network), "aiohttp"},
    {"ClientPayloadError", exception, Means(network), "aiohttp"},
    {"ServerDisconnectedError", exception, Means(network), "aiohttp"},
    {"EndpointConnectionError", exception, Means(network), "botocore"},
    {"ConnectionClosedError", exception, Means(network), "botocore, websockets"},
    {"ConnectException", exception, Means(network), "java.net"},
    {"UnknownHostException", exception, Means(network), "java.net"},
    {"NoRouteToHostException", exception, Means(network), "java.net"},
    {"SocketException", exception, Means(network), "java.net, .NET"},
    {"SSLHandshakeException", exception, Means(network), "javax.net.ssl"},
    {"SSLException", exception, Means(network), "javax.net.ssl"},
    {"PrematureCloseException", exception, Means(network), "Reactor Netty"},
    {"NoHttpResponseException", exception, Means(network), "Apache HttpClient"},
    {"ConnectionClosedException", exception, Means(network), "Apache HttpClient"},
    {"HttpRequestException", exception, Means(network), ".NET HttpClient"},
    {"SocketError", exception, Means(network), "undici"},
    {"ClosedResourceError", exception, Means(network), "anyio, as the MCP Python SDK raises it"},
    {"BrokenResourceError", exception, Means(network), "anyio"},
    {"EndOfStream", exception, Means(network), "anyio"},
    {"connection_error", as_status, Means(network), "proxies by convention"},

    // Credentials.
    {"invalid_api_key", decides, Means(authentication), "OpenAI, Groq, 401"},
    {"incorrect_api_key", decides, Means(authentication), "providers by convention"},
    {"invalid_authentication", decides, Means(authentication), "OpenAI, 401"},
    {"invalid_authentication_error", decides, Means(authentication), "Moonshot error codes, 401"},
    {"incorrect_api_key_error", decides, Means(authentication), "Moonshot error codes, 401"},
    {"authentication_error", decides, Means(authentication), "Anthropic errors, DeepSeek, 401"},
    {"AuthenticationException", decides, Means(authentication), "SDKs by convention"},
    {"authentication_failed", decides, Means(authentication), "APIs by convention"},
    {"not_authenticated", decides, Means(authentication), "Django REST framework"},
    {"API_KEY_INVALID", decides, Means(authentication), "Google ErrorInfo.reason, 400"},
    {"API_KEY_EXPIRED", decides, Means(authentication), "Google ErrorInfo.reason"},
    {"InvalidApiKey", decides, Means(authentication), "Alibaba DashScope error codes"},
    {"expired_api_key", decides, Means(authentication), "Groq"},
    {"ACCESS_TOKEN_EXPIRED", decides, Means(authentication), "Google ErrorInfo.reason"},
    {"ACCESS_TOKEN_TYPE_UNSUPPORTED", decides, Means(authentication), "Google ErrorInfo.reason"},
    {"CREDENTIALS_MISSING", decides, Means(authentication), "Google ErrorInfo.reason"},
    {"authError", decides, Means(authentication), "Google API errors"},
    {"invalid_token", decides, Means(authentication), "RFC 6750, 3.1"},
    {"expired_token", decides, Means(authentication), "RFC 8628; providers"},
    {"token_expired", decides, Means(authentication), "APIs by convention"},
    {"invalid_grant", decides, Means(authentication), "RFC 6749, 5.2"},
    {"invalid_client", decides, Means(authentication), "RFC 6749, 5.2"},
    {"unauthorized_client", decides, Means(authentication), "RFC 6749, 5.2"},
    {"invalid_auth", decides, Means(authentication), "Slack Web API errors"},
    {"not_authed", decides, Means(authentication), "Slack Web API errors"},
    {"token_revoked", decides, Means(authentication), "Slack Web API errors"},
    {"invalid_organization", decides, Means(authentication), "OpenAI, 401"},
    {"mismatched_organization", decides, Means(authentication), "OpenAI, 401"},
    {"account_deactivated", decides, Means(authentication), "OpenAI, 401"},
    {"token_not_found_in_db", decides, Means(authentication), "LiteLLM proxy, 401"},
    {"expired_key", decides, Means(authentication), "LiteLLM proxy"},
    {"UnrecognizedClientException", decides, Means(authentication), "Bedrock and AWS common errors, 403"},
    {"ExpiredTokenException", decides, Means(authentication), "AWS common errors, 403"},
    {"ExpiredToken", decides, Means(authentication), "Amazon S3, STS"},
    {"InvalidSignatureException", decides, Means(authentication), "AWS common errors, 403"},
    {"SignatureDoesNotMatch", decides, Means(authentication), "AWS common errors, 403"},
    {"IncompleteSignature", decides, Means(authentication), "AWS common errors"},
    {"InvalidClientTokenId", decides, Means(authentication), "AWS common errors, 403"},
    {"InvalidAccessKeyId", decides, Means(authentication), "Amazon S3"},
    {"RequestExpired", decides, Means(authentication), "AWS common errors"},
    {"NoCredentialsError", exception, Means(authentication), "botocore"},
    {"CredentialsProviderError", exception, Means(authentication), "AWS SDK for JavaScript"},
    {"DefaultCredentialsError", exception, Means(authentication), "google.auth"},
    {"RefreshError", exception, Means(authentication), "google.auth"},
    {"unauthenticated", decides, Means(authentication), "google.rpc.Code, 401"},
    {"unauthorized", as_status, Means(authentication), "APIs by convention, 401"},
    {"UnauthorizedException", as_status, Means(authentication), "AWS API Gateway"},
    {"UnauthorizedError", as_status, Means(authentication), "MCP TypeScript SDK"},

    // Permissions.
    {"permission_error", decides, Means(permission_denied), "Anthropic errors, 403"},
    {"PermissionDenied", decides, Means(permission_denied), "Azure OpenAI, 401 and 403; google.rpc.Code"},
    {"PermissionDeniedError", decides, Means(permission_denied), "OpenAI and Anthropic SDKs"},
    {"AccessDeniedException", decides, Means(permission_denied), "Bedrock InvokeModel, 403"},
    {"AccessDenied", decides, Means(permission_denied), "Amazon S3, AWS query APIs"},
    {"access_denied", decides, Means(permission_denied), "OAuth and others"},
    {"access_terminated_error", decides, Means(permission_denied), "Moonshot error codes, 403"},
    {"UnauthorizedOperation", decides, Means(permission_denied), "Amazon EC2"},
    {"NotAuthorized", decides, Means(permission_denied), "AWS common errors"},
    {"OptInRequired", decides, Means(permission_denied), "AWS common errors, 403"},
    {"AccountProblem", decides, Means(permission_denied), "Amazon S3"},
    {"forbidden", as_status, Means(permission_denied), "APIs by convention, 403"},
    {"ForbiddenException", as_status, Means(permission_denied), "AWS"},
    {"organization_restricted", decides, Means(permission_denied), "Groq, 400"},
    {"unsupported_country_region_territory", decides, Means(permission_denied), "OpenAI, 403"},
    {"ip_not_authorized", decides, Means(permission_denied), "OpenAI, 401"},
    {"insufficient_permissions", decides, Means(permission_denied), "OpenAI, 403"},
    {"insufficientPermissions", decides, Means(permission_denied), "Google API errors"},
    {"insufficient_scope", decides, Means(permission_denied), "RFC 6750, 3.1"},
    {"missing_scope", decides, Means(permission_denied), "Slack Web API errors"},
    {"must_be_verified", decides, Means(permission_denied), "OpenAI organization verification"},
    {"SERVICE_DISABLED", decides, Means(permission_denied), "Google ErrorInfo.reason, 403"},
    {"API_KEY_SERVICE_BLOCKED", decides, Means(permission_denied), "Google ErrorInfo.reason, 403"},
    {"API_KEY_HTTP_REFERRER_BLOCKED", decides, Means(permission_denied), "Google ErrorInfo.reason, 403"},
    {"API_KEY_IP_ADDRESS_BLOCKED", decides, Means(permission_denied), "Google ErrorInfo.reason, 403"},
    {"BILLING_DISABLED", decides, Means(quota_exhausted), "Google ErrorInfo.reason, 403"},
    {"CONSUMER_SUSPENDED", decides, Means(permission_denied), "Google ErrorInfo.reason, 403"},
    {"USER_PROJECT_DENIED", decides, Means(permission_denied), "Google ErrorInfo.reason, 403"},
    {"IAM_PERMISSION_DENIED", decides, Means(permission_denied), "Google ErrorInfo.reason, 403"},
    {"accessNotConfigured", decides, Means(permission_denied), "Google API errors, 403"},
    {"AuthorizationFailed", decides, Means(permission_denied), "Azure Resource Manager"},
    {"key_model_access_denied", decides, Means(permission_denied), "LiteLLM proxy, 401 and 403"},
    {"team_model_access_denied", decides, Means(permission_denied), "LiteLLM proxy"},
    {"1010", as_status, Means(permission_denied), "Cloudflare 1xxx errors"},
    {"1020", as_status, Means(permission_denied), "Cloudflare 1xxx errors"},
    {"PermissionError", exception, Means(permission_denied), "Python"},

    // Models.
    {"model_not_found", decides, Means(model_not_found), "OpenAI, 403 and 404; Fuseboard"},
    {"model_not_available", decides, Means(model_not_found), "providers of hosted models"},
    {"model_not_active", decides, Means(model_not_found), "Groq"},
    {"model_decommissioned", decides, Means(model_not_found), "Groq deprecations, 400"},
    {"model_deprecated", decides, Means(model_not_found), "providers by convention"},
    {"model_terms_required", decides, Means(permission_denied), "Groq, 400: terms not accepted"},
    {"invalid_model", decides, Means(model_not_found), "Mistral, 400"},
    {"invalid_model_id", decides, Means(model_not_found), "providers by convention"},
    {"unknown_model", decides, Means(model_not_found), "GitHub Models, 400 and 404"},
    {"unavailable_model", decides, Means(model_not_found), "GitHub Models"},
    {"ModelNotFound", decides, Means(model_not_found), "Alibaba DashScope, Ollama clients"},
    {"DeploymentNotFound", decides, Means(model_not_found), "Azure OpenAI, 404"},
    {"model_permission_denied", decides, Means(model_not_found), "providers by convention"},
    {"resource_not_found_error", as_status, Means(resource_not_found), "Moonshot error codes, 404"},
    {"1500", as_status, Means(model_not_found), "Mistral: invalid model"},
    {"ModelNotOpen", decides, Means(model_not_found), "ByteDance Ark error codes"},

    // Length.
    {"context_length_exceeded", decides, Means(context_length_exceeded), "OpenAI, Azure, 400"},
    {"context_window_exceeded", decides, Means(context_length_exceeded), "providers by convention"},
    {"ContextWindowExceededError", decides, Means(context_length_exceeded), "LiteLLM exceptions"},
    {"exceed_context_size_error", decides, Means(context_length_exceeded), "llama.cpp server, 400"},
    {"input_too_long", decides, Means(context_length_exceeded), "providers by convention"},
    {"prompt_too_long", decides, Means(context_length_exceeded), "providers by convention"},
    {"string_above_max_length", as_status, Means(invalid_request), "OpenAI, 400: one string, not the context"},
    {"tokens_limit_reached", decides, Means(context_length_exceeded), "GitHub Models, 413"},
    {"model_max_prompt_tokens_exceeded", decides, Means(context_length_exceeded), "GitHub Copilot"},
    {"error_limit", decides, Means(context_length_exceeded), "Cohere finish reasons: context limit"},
    {"3051", decides, Means(context_length_exceeded), "Mistral, 400"},
    {"1261", decides, Means(context_length_exceeded), "Zhipu error codes: prompt too long"},

    // Safety systems of providers.
    {"content_filter", decides, Means(content_policy), "Azure OpenAI, 400"},
    {"content_filtered", decides, Means(content_policy), "Bedrock Converse, stop reasons"},
    {"content_policy_violation", decides, Means(content_policy), "OpenAI images and chat, 400"},
    {"ContentPolicyViolationError", decides, Means(content_policy), "LiteLLM exceptions"},
    {"ResponsibleAIPolicyViolation", decides, Means(content_policy), "Azure OpenAI's inner error, 400"},
    {"moderation_blocked", decides, Means(content_policy), "OpenAI images, 400"},
    {"content_moderation", decides, Means(content_policy), "providers by convention"},
    {"moderation", decides, Means(content_policy), "OpenRouter, 403"},
    {"content_policy", decides, Means(content_policy), "providers by convention"},
    {"invalid_prompt", decides, Means(content_policy), "OpenAI reasoning models: usage policy, 400"},
    {"safety_violation", decides, Means(content_policy), "providers by convention"},
    {"prompt_blocked", decides, Means(content_policy), "Gemini clients"},
    {"BlockedPromptException", exception, Means(content_policy), "google.generativeai"},
    {"StopCandidateException", exception, Means(content_policy), "google.generativeai"},
    {"cyber_policy_violation", decides, Means(content_policy), "OpenAI safety checks"},
    {"DataInspectionFailed", decides, Means(content_policy), "Alibaba DashScope error codes"},
    {"data_inspection_failed", decides, Means(content_policy), "Alibaba DashScope, OpenAI mode"},
    {"SensitiveContentDetected", decides, Means(content_policy), "ByteDance Ark error codes"},
    {"InputTextSensitiveContentDetected", decides, Means(content_policy), "ByteDance Ark error codes"},
    {"content_policy_error", decides, Means(content_policy), "providers by convention"},
    {"1301", decides, Means(content_policy), "Zhipu error codes: unsafe content"},

    // Rules of our own side.
    {"budget_exceeded", decides, Means(PolicyDetail::budget), "LiteLLM, 400; Fuseboard, 429: a cap of our own side"},
    {"BudgetExceededError", decides, Means(PolicyDetail::budget), "LiteLLM exceptions"},
    {"spend_budget_exceeded", decides, Means(PolicyDetail::budget), "gateways by convention"},
    {"guardrail_intervened", decides, Means(PolicyDetail::guardrail), "Bedrock Guardrails"},
    {"guardrail_violation", decides, Means(PolicyDetail::guardrail), "gateways by convention"},
    {"GuardrailRaisedException", decides, Means(PolicyDetail::guardrail), "LiteLLM exceptions"},
    {"hook_failed", decides, Means(PolicyDetail::guardrail), "Portkey guardrails, 446"},
    {"hooks_failed", decides, Means(PolicyDetail::guardrail), "Portkey guardrails, 446"},
    {"policy_violation", decides, Means(policy_violation), "gateways by convention"},
    {"workspace_policy", decides, Means(policy_violation), "gateways by convention"},
    {"sandbox_violation", decides, Means(PolicyDetail::sandbox), "sandboxes by convention"},
    {"SandboxError", exception, Means(PolicyDetail::sandbox), "sandboxes by convention"},

    // Things that do not exist.
    {"vector_store_not_found", decides, Means(resource_not_found), "OpenAI, 404"},
    {"previous_response_not_found", decides, Means(resource_not_found), "OpenAI Responses, 400"},
    {"thread_not_found", decides, Means(resource_not_found), "OpenAI Assistants"},
    {"conversation_not_found", decides, Means(resource_not_found), "OpenAI Conversations"},
    {"file_not_found", decides, Means(resource_not_found), "OpenAI Files"},
    {"session_not_found", decides, Means(resource_not_found), "APIs by convention"},
    {"resource_not_found", as_status, Means(resource_not_found), "Azure, APIs by convention"},
    {"ResourceNotFoundException", as_status, Means(resource_not_found), "Bedrock, 404"},
    {"MissingAuthenticationTokenException", decides, Means(resource_not_found),
     "AWS API Gateway: 403 for a route that does not exist"},
    {"NoSuchKey", decides, Means(resource_not_found), "Amazon S3"},
    {"NoSuchBucket", decides, Means(resource_not_found), "Amazon S3"},
    {"not_found", as_status, Means(resource_not_found), "google.rpc.Code, Anthropic not_found_error, 404"},
    {"NotFoundException", as_status, Means(resource_not_found), "AWS"},
    {"unknown_url", as_status, Means(resource_not_found), "OpenAI, 404"},
    {"FileNotFoundError", exception, Means(resource_not_found), "Python"},
    {"FileNotFoundException", exception, Means(resource_not_found), "Java, .NET"},
    {"NoSuchFileException", exception, Means(resource_not_found), "java.nio"},
    {"DirectoryNotFoundException", exception, Means(resource_not_found), ".NET"},
    {"tool_not_found", decides, Means(tool_not_found), "MCP clients"},
    {"unknown_tool", decides, Means(tool_not_found), "MCP clients"},
    {"ToolNotFoundError", exception, Means(tool_not_found), "agent frameworks"},
    {"UnknownToolError", exception, Means(tool_not_found), "agent frameworks"},
    {"CommandNotFoundException", exception, Means(tool_not_found), "PowerShell"},

    // What the model wrote cannot be used.
    {"tool_use_failed", decides, Means(execution_error, bad_model_output), "Groq, 400"},
    {"json_validate_failed", decides, Means(execution_error, bad_model_output), "Groq, 400"},
    {"malformed_function_call", decides, Means(execution_error, bad_model_output), "Gemini finish reasons"},
    {"malformed_model_output", decides, Means(execution_error, bad_model_output), "Bedrock Converse stop reasons"},
    {"malformed_tool_use", decides, Means(execution_error, bad_model_output), "Bedrock Converse stop reasons"},
    {"external_connector_error", decides, Means(execution_error), "OpenAI, 424: a connector of the request failed"},
    {"failed_dependency", decides, Means(execution_error), "Groq, 424: a remote tool of the request failed"},

    // What another model may be able to do.
    {"unsupported_parameter", decides, Means(invalid_request, capability_mismatch), "OpenAI, 400"},
    {"UnsupportedParamsError", decides, Means(invalid_request, capability_mismatch), "LiteLLM exceptions"},
    {"unsupported_model", decides, Means(invalid_request, capability_mismatch), "OpenAI: not in this endpoint"},
    {"unsupported_feature", decides, Means(invalid_request, capability_mismatch), "providers by convention"},
    {"extra_forbidden", decides, Means(invalid_request, capability_mismatch), "Mistral (pydantic), 422"},
    {"OperationNotSupported", decides, Means(invalid_request, capability_mismatch), "Azure OpenAI, 400"},
    {"not_supported_error", decides, Means(invalid_request, capability_mismatch), "llama.cpp server, 501"},
    {"UnsupportedOperationException", as_status, Means(invalid_request, capability_mismatch), "AWS, Java"},
    {"unimplemented", as_status, Means(invalid_request, capability_mismatch), "google.rpc.Code, 501"},
    {"not_implemented", as_status, Means(invalid_request, capability_mismatch), "RFC 9110, 15.6.2"},

    // Requests.
    {"request_too_large", decides, Means(invalid_request), "Anthropic errors, 413; Fuseboard"},
    {"invalid_json_schema", decides, Means(invalid_request), "OpenAI structured outputs, 400"},
    {"invalid_messages", decides, Means(invalid_request), "OpenAI-like proxies, 400"},
    {"invalid_request_error", as_status, Means(invalid_request), "OpenAI, Anthropic: says no more than a 400"},
    {"BadRequestError", as_status, Means(invalid_request), "vLLM, SDKs: says no more than a 400"},
    {"bad_request", as_status, Means(invalid_request), "APIs by convention"},
    {"BadRequestException", as_status, Means(invalid_request), "AWS"},
    {"UnprocessableEntityError", as_status, Means(invalid_request), "OpenAI and Anthropic SDKs, 422"},
    {"ValidationException", as_status, Means(invalid_request), "Bedrock, 400"},
    {"validation", as_status, Means(invalid_request), "Text Generation Inference, error_type"},
    {"ValidationError", as_status, Means(invalid_request), "pydantic, AWS"},
    {"SerializationException", as_status, Means(invalid_request), "AWS"},
    {"invalid_argument", as_status, Means(invalid_request), "google.rpc.Code, 400"},
    {"invalid_value", as_status, Means(invalid_request), "OpenAI, 400"},
    {"invalid_type", as_status, Means(invalid_request), "OpenAI, 400"},
    {"missing_required_parameter", as_status, Means(invalid_request), "OpenAI, 400"},
    {"failed_precondition", as_status, Means(invalid_request), "google.rpc.Code, 400"},
    {"out_of_range", as_status, Means(invalid_request), "google.rpc.Code, 400"},
    {"already_exists", as_status, Means(invalid_request), "google.rpc.Code, 409"},
    {"InvalidParameter", as_status, Means(invalid_request), "Alibaba DashScope error codes"},
    {"GRAPHQL_VALIDATION_FAILED", as_status, Means(invalid_request), "Apollo Server error codes"},
    {"GRAPHQL_PARSE_FAILED", as_status, Means(invalid_request), "Apollo Server error codes"},
    {"BAD_USER_INPUT", as_status, Means(invalid_request), "Apollo Server error codes"},

    // Servers.
    {"server_error", as_status, Means(service_unavailable), "OpenAI: says no more than a 500"},
    {"api_error", as_status, Means(service_unavailable), "Anthropic: says no more than a 500"},
    {"internal_error", as_status, Means(service_unavailable), "APIs by convention"},
    {"internal", as_status, Means(service_unavailable), "google.rpc.Code, 500"},
    {"unknown", as_status, Means(service_unavailable), "google.rpc.Code, 500"},
    {"data_loss", as_status, Means(service_unavailable), "google.rpc.Code, 500"},
    {"aborted", as_status, Means(service_unavailable), "google.rpc.Code: may be sent again"},
    {"internal_server_error", as_status, Means(service_unavailable), "Mistral and others, 500"},
    {"InternalServerException", as_status, Means(service_unavailable), "Bedrock, 500"},
    {"InternalServerErrorException", as_status, Means(service_unavailable), "AWS API Gateway"},
    {"InternalFailure", as_status, Means(service_unavailable), "AWS common errors, 500"},
    {"backend_error", as_status, Means(service_unavailable), "Google API errors"},
    {"unavailable", as_status, Means(service_unavailable), "google.rpc.Code, 503"},
    {"unavailable_error", as_status, Means(service_unavailable), "llama.cpp server, 503"},
    {"service_unavailable", as_status, Means(service_unavailable), "APIs by convention, 503"},
    {"service_unavailable_error", as_status, Means(service_unavailable), "DeepSeek, LiteLLM"},
    {"ServiceUnavailableException", as_status, Means(service_unavailable), "Bedrock, 503"},
    {"bad_gateway", as_status, Means(service_unavailable), "APIs by convention, 502"},
    {"provider_error", as_status, Means(service_unavailable), "gateways by convention"},
    {"upstream_error", as_status, Means(service_unavailable), "gateways by convention"},
    {"generation", as_status, Means(service_unavailable), "Text Generation Inference, error_type"},
    {"incomplete_generation", as_status, Means(service_unavailable), "Text Generation Inference, error_type"},
    {"ModelErrorException", decides, Means(service_unavailable), "Bedrock, 424"},
    {"ModelStreamErrorException", decides, Means(service_unavailable), "Bedrock, 424, also in event streams"},
    {"ModelNotReadyException", decides, Means(service_unavailable), "Bedrock, 429: the model is starting"},
    {"FUNCTION_INVOCATION_FAILED", decides, Means(service_unavailable), "Vercel error codes, 500"},
    {"1000", as_status, Means(service_unavailable), "Mistral: internal"},

    // Shortages.
    {"MemoryError", exception, Means(resource_exhausted), "Python"},
    {"OutOfMemoryError", exception, Means(resource_exhausted), "Java, PyTorch"},
    {"OutOfMemoryException", exception, Means(resource_exhausted), ".NET"},
    {"out_of_memory", decides, Means(resource_exhausted), "APIs by convention"},
    {"insufficient_storage", decides, Means(resource_exhausted), "RFC 4918, 11.5"},

    // Stopped.
    {"cancelled", as_status, Means(cancelled), "google.rpc.Code, 499"},
    {"canceled", as_status, Means(cancelled), "Connect RPC"},
    {"client_closed_request", decides, Means(cancelled), "nginx, 499"},
    {"request_cancelled", decides, Means(cancelled), "APIs by convention"},
    {"AbortError", exception, Means(cancelled), "DOM AbortController"},
    {"APIUserAbortError", exception, Means(cancelled), "OpenAI and Anthropic Node SDKs"},
    {"CancelledError", exception, Means(cancelled), "Python asyncio"},
    {"CanceledError", exception, Means(cancelled), "axios"},
    {"CancellationException", exception, Means(cancelled), "Java, Kotlin"},
    {"OperationCanceledException", exception, Means(cancelled), ".NET"},
    {"KeyboardInterrupt", exception, Means(cancelled), "Python"},
};

constexpr std::size_t kLongestCode = 96;

// The part of a code that is compared: "com.amazon.coral.service#ThrottlingException:http://..." says
// ThrottlingException.
constexpr std::string_view bare(std::string_view code) noexcept {
  if (const std::size_t end = code.find(':'); end != std::string_view::npos && end > 0) code = code.substr(0, end);
  if (const std::size_t begin = code.find_last_of(".#/$"); begin != std::string_view::npos && begin + 1 < code.size()) {
    code = code.substr(begin + 1);
  }
  return code;
}

constexpr std::uint64_t code_hash(std::string_view code) noexcept {
  code = bare(code);
  if (code.size() > kLongestCode) return 0;
  char folded[kLongestCode] = {};
  std::size_t size = 0;
  for (const char c : code) {
    if (is_alpha(c) || is_digit(c)) folded[size++] = lower(c);
  }
  std::string_view name(folded, size);
  for (const std::string_view ending : {"exception", "error"}) {
    if (name.size() > ending.size() && name.ends_with(ending)) name.remove_suffix(ending.size());
  }
  std::uint64_t hash = kHashSeed;
  for (const char c : name) hash = hash_step(hash, c);
  return name.empty() ? 0 : hash;
}

struct Slot {
  std::uint64_t hash = 0;
  std::uint16_t row = 0;
};
constexpr std::size_t kSlots = 2048;

// Two rows may share a name, such as "overloaded" and "overloaded_error"; the first holds.
consteval std::array<Slot, kSlots> slots() {
  std::array<Slot, kSlots> slots{};
  for (std::size_t row = 0; row < std::size(kCodes); ++row) {
    const std::uint64_t hash = code_hash(kCodes[row].code);
    std::size_t i = hash % kSlots;
    while (slots[i].hash != 0 && slots[i].hash != hash) i = (i + 1) % kSlots;
    if (slots[i].hash == 0) slots[i] = {hash, static_cast<std::uint16_t>(row)};
  }
  return slots;
}
constexpr auto kIndex = slots();

}  // namespace

const CodeRow* code_row(std::string_view code) noexcept {
  const std::uint64_t hash = code_hash(code);
  if (hash == 0) return nullptr;
  for (std::size_t i = hash % kSlots; kIndex[i].hash != 0; i = (i + 1) % kSlots) {
    if (kIndex[i].hash == hash) return &kCodes[kIndex[i].row];
  }
  return nullptr;
}

}  // namespace fuseboard::classify_internal
