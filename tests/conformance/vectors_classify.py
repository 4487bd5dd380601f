"""Real-looking error replies of the providers, and what each must be taken for.

A vector is (who, row of the fault catalogue, dialect, status, headers, body) and the expected
(class, reaction where finer, cool-down, health, hint in seconds, alarm). Cool-downs are
``scope base..max`` in seconds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Headers = dict[str, str]


class Vector(NamedTuple):
    who: str
    row: int
    dialect: str
    status: int
    body: dict[str, Any] | list[Any] | str
    expect: str
    """``class [reaction] [scope base..max] [counts|half] [hint=s] [alarm] [pushback] [explains]``."""
    headers: Headers = {}  # noqa: RUF012 - a NamedTuple's default, never mutated


def openai(
    message: str, kind: str | None = None, code: str | int | None = None, **more: Any
) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


def anthropic(kind: str, message: str, **details: str) -> dict[str, Any]:
    error: dict[str, Any] = {"type": kind, "message": message}
    if details:
        error["details"] = details
    return {"type": "error", "error": error, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}


def google(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def info(reason: str) -> dict[str, Any]:
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {"@type": kind, "reason": reason, "domain": "googleapis.com"}


def quota(quota_id: str) -> dict[str, Any]:
    kind = "type.googleapis.com/google.rpc.QuotaFailure"
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    return {"@type": kind, "violations": [{"quotaMetric": metric, "quotaId": quota_id}]}


def retry_in(delay: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


CHAT, RESPONSES = "openai.chat", "openai.responses"
MESSAGES, GEMINI = "anthropic.messages", "gemini.generate"
HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"
MONEY = "provider_funds credential 900..21600 alarm pushback"
LOAD = "overloaded offer 5..60 counts"
LIMIT = "rate_limited credential_model 5..60"
DAILY = "rate_limited credential_model 3600..86400 pushback"
AUTH = "provider_auth credential 600 alarm"
PERMISSION = "provider_auth credential_model 600 alarm"
MODEL = "unknown_model offer 600 counts alarm"
REGION = "provider_region offer 3600 counts"

OPENAI = (
    Vector("openai", 13, CHAT, 400, openai("Invalid value: 'sistem'.", "invalid_request_error", "invalid_value"), "bad_request explains"),
    Vector("openai", 14, CHAT, 400, openai("This model's maximum context length is 128000 tokens. However, your messages resulted in 131072 tokens.", "invalid_request_error", "context_length_exceeded"), "context_length explains"),
    Vector("openai", 14, RESPONSES, 400, openai("Your input exceeds the context window of this model.", "invalid_request_error", "context_length_exceeded"), "context_length explains"),
    Vector("openai", 15, CHAT, 400, openai("Unsupported parameter: 'max_tokens' is not supported with this model.", "invalid_request_error", "unsupported_parameter"), "bad_request alarm explains"),
    Vector("openai", 15, CHAT, 400, openai("Unknown parameter: 'foo'.", "invalid_request_error", "unknown_parameter"), "bad_request alarm explains"),
    Vector("openai", 15, CHAT, 400, openai("'temperature' does not support 0.2 with this model.", "invalid_request_error", "unsupported_value"), "bad_request alarm explains"),
    Vector("openai", 16, RESPONSES, 400, openai("Invalid prompt: your prompt was flagged as potentially violating our usage policy.", "invalid_request_error", "invalid_prompt"), "content_policy explains"),
    Vector("openai", 16, CHAT, 400, openai("Your request was rejected by the safety system.", "image_generation_user_error", "moderation_blocked"), "content_policy explains"),
    Vector("openai", 13, RESPONSES, 400, openai("Invalid prompt: the template has no such variable.", "invalid_request_error", "invalid_prompt"), "bad_request explains"),
    Vector("openai", 22, CHAT, 401, openai("Incorrect API key provided: sk-abc***.", "invalid_request_error", "invalid_api_key"), AUTH),
    Vector("openai", 22, CHAT, 401, openai("Your authentication token has expired.", "invalid_request_error", "token_expired"), AUTH),
    Vector("openai", 22, CHAT, 403, openai("The account is deactivated.", "invalid_request_error", "account_deactivated"), AUTH),
    Vector("openai", 25, CHAT, 403, openai("You have insufficient permissions for this operation.", "invalid_request_error"), PERMISSION),
    Vector("openai", 26, CHAT, 403, openai("Country, region, or territory not supported", "request_forbidden", "unsupported_country_region_territory"), REGION),
    Vector("openai", 28, CHAT, 404, openai("The model `gpt-9` does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"), MODEL),
    Vector("openai", 11, RESPONSES, 409, openai("The resource was updated by another process.", "conflict"), "server_error retry"),
    Vector("openai", 30, CHAT, 422, openai("Unprocessable", "invalid_request_error"), "bad_request explains"),
    Vector("openai", 31, CHAT, 429, openai("Rate limit reached for gpt-5.5 on tokens per min (TPM).", "tokens", "rate_limit_exceeded"), LIMIT + " hint=1.5", {"retry-after-ms": "1500"}),
    Vector("openai", 31, CHAT, 429, openai("Rate limit reached for gpt-5.5 on requests per min (RPM).", "requests", "rate_limit_exceeded"), LIMIT + " hint=21", {"retry-after": "21"}),
    Vector("openai", 36, CHAT, 429, openai("Rate limit reached for gpt-5.5 on requests per day (RPD): Limit 200.", "requests", "rate_limit_exceeded"), DAILY),
    Vector("groq", 36, CHAT, 429, openai("Rate limit reached for model on tokens per day (TPD): Limit 100000.", "tokens", "rate_limit_exceeded"), DAILY + " hint=427", {"retry-after": "427"}),
    Vector("openai", 21, RESPONSES, 400, openai("The encrypted content gAAA...Q== could not be verified.", "invalid_request_error", "invalid_encrypted_content"), "bad_request explains retry"),
    Vector("azure", 21, RESPONSES, 400, openai("The encrypted content gAAA...Q== could not be verified.", "invalid_request_error"), "bad_request explains retry"),
    Vector("openai", 33, CHAT, 429, openai("Your request rate increased too fast.", "rate_limit_error", "slow_down"), "rate_limited provider 15"),
    Vector("openai", 35, CHAT, 429, openai("You exceeded your current quota, please check your plan and billing details.", "insufficient_quota", "insufficient_quota"), MONEY),
    Vector("openai", 35, CHAT, 429, openai("No credit left.", "insufficient_quota", "credit_balance_exhausted"), MONEY),
    Vector("openai", 35, CHAT, 429, openai("Limit.", "insufficient_quota", "organization_spend_limit_exceeded"), MONEY),
    Vector("openai", 35, CHAT, 429, openai("Limit.", "insufficient_quota", "project_spend_limit_exceeded"), MONEY),
    Vector("openai", 35, RESPONSES, 429, openai("Limit.", "insufficient_quota", "organization_usage_limit_exceeded"), MONEY),
    Vector("openai", 35, CHAT, 429, openai("Quota.", "insufficient_quota"), MONEY),
    Vector("openai", 35, CHAT, 400, openai("Billing hard limit has been reached", "invalid_request_error", "billing_hard_limit_reached"), MONEY),
    Vector("openai", 39, CHAT, 500, openai("The server had an error while processing your request.", "server_error"), "server_error counts"),
    Vector("openai", 41, CHAT, 503, openai("The server is overloaded or not ready yet.", "server_error", "server_is_overloaded"), LOAD),
    Vector("openai", 41, CHAT, 503, openai("The engine is currently overloaded.", "server_error"), LOAD),
    Vector("openai", 42, CHAT, 504, openai("Timeout", "server_error"), "slow_start counts"),
    Vector("openai", 19, CHAT, 429, openai("Do not.", "requests", "rate_limit_exceeded"), LIMIT + " pushback", {"x-should-retry": "false"}),
)  # fmt: skip

COMPATIBLE = (
    Vector("azure", 16, CHAT, 400, openai("The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", None, "content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}), "content_policy explains"),
    Vector("azure", 16, CHAT, 400, openai("Filtered.", None, "BadRequest", innererror={"code": "ResponsibleAIPolicyViolation"}), "content_policy explains"),
    Vector("azure", 28, CHAT, 404, openai("The API deployment for this resource does not exist.", None, "DeploymentNotFound"), MODEL),
    Vector("azure", 34, CHAT, 429, openai("The system is currently experiencing high demand and cannot process your request.", None, "429"), "overloaded retry offer 10 counts"),
    Vector("azure", 34, CHAT, 429, openai("No capacity is available.", None, "NoCapacity"), "overloaded retry offer 10 counts"),
    Vector("azure", 31, CHAT, 429, openai("Requests have exceeded the token rate limit of your pricing tier. Please retry after 7 seconds.", None, "429"), LIMIT + " hint=7", {"retry-after": "7"}),
    Vector("azure", 22, CHAT, 401, openai("Access denied due to invalid subscription key or wrong API endpoint.", None, "401"), AUTH),
    Vector("azure", 10, CHAT, 408, openai("The operation was timeout.", None, "Timeout"), "server_error retry counts"),
    Vector("deepseek", 24, CHAT, 402, openai("Insufficient Balance", "unknown_error", "invalid_request_error"), MONEY),
    Vector("deepseek", 22, CHAT, 401, openai("Authentication Fails", "authentication_error", "invalid_request_error"), AUTH),
    Vector("dashscope", 16, CHAT, 400, openai("Input data may contain inappropriate content.", "data_inspection_failed", "data_inspection_failed"), "content_policy explains"),
    Vector("dashscope", 35, CHAT, 400, openai("Access denied, please make sure your account is in good standing.", "Arrearage", "Arrearage"), MONEY),
    Vector("moonshot", 35, CHAT, 429, openai("Your account is suspended, please check your plan and billing details", "exceeded_current_quota_error"), MONEY),
    Vector("moonshot", 37, CHAT, 429, openai("Your request reached max organization concurrency: 3, please try again after 1 seconds", "rate_limit_reached_error"), "rate_limited offer 5"),
    Vector("moonshot", 41, CHAT, 429, openai("The engine is currently overloaded, please try again later", "engine_overloaded_error"), LOAD),
    Vector("groq", 28, CHAT, 400, openai("The model `x` has been decommissioned.", "invalid_request_error", "model_decommissioned"), MODEL),
    Vector("openrouter", 24, CHAT, 402, {"error": {"code": 402, "message": "This request requires more credits"}}, MONEY),
    Vector("openrouter", 27, CHAT, 403, {"error": {"code": 403, "message": "The chosen model requires moderation and your input was flagged", "metadata": {"provider_name": "OpenAI"}}}, "content_policy explains"),
    Vector("openrouter", 51, CHAT, 200, {"error": {"code": 429, "message": "Rate limit exceeded"}}, LIMIT),
    Vector("openrouter", 40, CHAT, 502, {"error": {"code": 502, "message": "Provider returned error"}}, "server_error counts"),
    Vector("vllm", 14, CHAT, 400, {"object": "error", "message": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.", "type": "BadRequestError", "param": None, "code": 400}, "context_length explains"),
    Vector("vllm", 14, CHAT, 400, {"object": "error", "message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096.", "type": "BadRequestError", "code": 400}, "context_length explains"),
    Vector("llama.cpp", 14, CHAT, 400, {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error"}}, "context_length explains"),
    Vector("bedrock", 31, CHAT, 429, openai("Too many requests", "ThrottlingException"), LIMIT),
    Vector("bedrock", 31, MESSAGES, 429, anthropic("ThrottlingException", "Too many tokens, please wait before trying again."), LIMIT),
    Vector("bedrock", 36, CHAT, 400, openai("Your request exceeds the service quota", "ServiceQuotaExceededException"), DAILY),
    Vector("bedrock", 34, CHAT, 429, openai("Model is not ready for inference.", "ModelNotReadyException"), "overloaded retry offer 10 counts"),
    Vector("bedrock", 45, CHAT, 424, openai("The model failed.", "ModelErrorException"), "server_error next counts"),
    Vector("bedrock", 45, CHAT, 424, openai("Failed dependency."), "server_error next counts"),
    Vector("bedrock", 42, CHAT, 408, openai("Model has timed out in processing the request.", "ModelTimeoutException"), "slow_start counts"),
    Vector("bedrock", 14, MESSAGES, 400, anthropic("ValidationException", "Input is too long for requested model."), "context_length explains"),
    Vector("bedrock", 13, MESSAGES, 400, anthropic("ValidationException", "Malformed input request"), "bad_request explains"),
    Vector("bedrock", 25, MESSAGES, 403, anthropic("AccessDeniedException", "You don't have access to the model."), PERMISSION),
    Vector("bedrock", 22, MESSAGES, 403, anthropic("UnrecognizedClientException", "The security token is invalid."), AUTH),
    Vector("bedrock", 28, MESSAGES, 404, anthropic("ResourceNotFoundException", "Could not resolve the foundation model."), MODEL),
    Vector("bedrock", 41, MESSAGES, 503, anthropic("ServiceUnavailableException", "Bedrock is unable to process your request."), LOAD),
)  # fmt: skip

ANTHROPIC = (
    Vector("anthropic", 13, MESSAGES, 400, anthropic("invalid_request_error", "messages: Input should be a valid list"), "bad_request explains"),
    Vector("anthropic", 14, MESSAGES, 400, anthropic("invalid_request_error", "prompt is too long: 213462 tokens > 200000 maximum"), "context_length explains"),
    Vector("anthropic", 14, MESSAGES, 400, anthropic("invalid_request_error", "input length and `max_tokens` exceed context limit: 198000 + 8192 > 200000"), "context_length explains"),
    Vector("anthropic", 12, MESSAGES, 413, anthropic("request_too_large", "Request exceeds the maximum size"), "context_length explains"),
    Vector("anthropic", 15, MESSAGES, 400, anthropic("invalid_request_error", "top_kk: Extra inputs are not permitted"), "bad_request alarm explains"),
    Vector("anthropic", 16, MESSAGES, 400, anthropic("invalid_request_error", "Output blocked by content filtering policy"), "content_policy explains"),
    Vector("anthropic", 17, MESSAGES, 400, anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing."), MONEY),
    Vector("anthropic", 17, MESSAGES, 400, anthropic("invalid_request_error", "You have reached your specified API usage limits. You will regain access on 2026-12-01."), MONEY),
    Vector("anthropic", 21, MESSAGES, 400, anthropic("invalid_request_error", "messages.1.content.0: Invalid `signature` in `thinking` block"), "bad_request explains retry"),
    Vector("anthropic", 22, MESSAGES, 401, anthropic("authentication_error", "invalid x-api-key"), AUTH),
    Vector("anthropic", 22, MESSAGES, 401, anthropic("authentication_error", "CORS requests are not allowed for this Organization"), "provider_auth alarm"),
    Vector("anthropic", 24, MESSAGES, 402, anthropic("billing_error", "There is an issue with your billing"), MONEY),
    Vector("anthropic", 25, MESSAGES, 403, anthropic("permission_error", "Your API key does not have permission to use the specified resource."), PERMISSION),
    Vector("anthropic", 26, MESSAGES, 403, anthropic("forbidden", "Request not allowed"), REGION),
    Vector("anthropic", 28, MESSAGES, 404, anthropic("not_found_error", "model: claude-9"), MODEL),
    Vector("anthropic", 11, MESSAGES, 409, anthropic("conflict_error", "Conflict"), "server_error retry"),
    Vector("anthropic", 31, MESSAGES, 429, anthropic("rate_limit_error", "This request would exceed your organization's rate limit of 50 requests per minute"), LIMIT + " hint=38", {"retry-after": "38"}),
    Vector("anthropic", 32, MESSAGES, 429, anthropic("rate_limit_error", "Rate limited."), LIMIT),
    Vector("anthropic", 33, MESSAGES, 429, anthropic("rate_limit_error", "This request would exceed your organization's acceleration limit"), "rate_limited provider 15"),
    Vector("anthropic", 35, MESSAGES, 429, anthropic("rate_limit_error", "Limit reached.", error_code="enforced_spend_limit_reached"), MONEY),
    Vector("anthropic", 36, MESSAGES, 429, anthropic("rate_limit_error", "Number of request tokens has exceeded your daily rate limit"), DAILY),
    Vector("anthropic", 39, MESSAGES, 500, anthropic("api_error", "Internal server error"), "server_error counts"),
    Vector("anthropic", 42, MESSAGES, 504, anthropic("timeout_error", "The request timed out"), "slow_start counts"),
    Vector("anthropic", 44, MESSAGES, 529, anthropic("overloaded_error", "Overloaded"), LOAD),
    Vector("anthropic", 61, MESSAGES, 200, anthropic("overloaded_error", "Overloaded"), LOAD),
)  # fmt: skip

GOOGLE = (
    Vector("gemini", 16, GEMINI, 200, {"promptFeedback": {"blockReason": "SAFETY"}}, "content_policy explains"),
    Vector("gemini", 16, GEMINI, 200, {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "No."}}, "content_policy explains"),
    Vector("gemini", 16, GEMINI, 200, {"promptFeedback": {"blockReason": "BLOCKLIST"}}, "content_policy explains"),
    Vector("gemini", 13, GEMINI, 400, google(400, "INVALID_ARGUMENT", "Please ensure that function call turn comes immediately after a user turn."), "bad_request explains"),
    Vector("gemini", 14, GEMINI, 400, google(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."), "context_length explains"),
    Vector("gemini", 15, GEMINI, 400, google(400, "INVALID_ARGUMENT", 'Invalid JSON payload received. Unknown name "foo": Cannot find field.'), "bad_request alarm explains"),
    Vector("gemini", 18, GEMINI, 400, google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", info("API_KEY_INVALID")), AUTH),
    Vector("gemini", 18, GEMINI, 400, google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), AUTH),
    Vector("gemini", 18, GEMINI, 400, google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."), AUTH),
    Vector("gemini", 22, GEMINI, 403, google(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."), AUTH),
    Vector("gemini", 19, GEMINI, 400, google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), REGION + " alarm"),
    Vector("gemini", 13, GEMINI, 400, google(400, "FAILED_PRECONDITION", "The File is not in an ACTIVE state."), "bad_request explains"),
    Vector("gemini", 20, GEMINI, 400, google(400, "INVALID_ARGUMENT", "Function call is missing a thought_signature in functionCall parts."), "bad_request alarm explains"),
    Vector("gemini", 21, GEMINI, 400, google(400, "INVALID_ARGUMENT", "Corrupted thought signature."), "bad_request explains retry"),
    Vector("gemini", 21, GEMINI, 400, google(400, "INVALID_ARGUMENT", "Invalid thought signature."), "bad_request explains retry"),
    Vector("gemini", 21, GEMINI, 400, google(400, "INVALID_ARGUMENT", "Thought signature is not valid."), "bad_request explains retry"),
    Vector("gemini", 22, GEMINI, 401, google(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."), AUTH),
    Vector("gemini", 25, GEMINI, 403, google(403, "PERMISSION_DENIED", "Generative Language API has not been used in project 1 before.", info("SERVICE_DISABLED")), PERMISSION),
    Vector("gemini", 25, GEMINI, 403, google(403, "PERMISSION_DENIED", "The caller does not have permission"), PERMISSION),
    Vector("gemini", 24, GEMINI, 403, google(403, "PERMISSION_DENIED", "This API method requires billing to be enabled.", info("BILLING_DISABLED")), MONEY),
    Vector("gemini", 35, GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), MONEY),
    Vector("gemini", 28, GEMINI, 404, google(404, "NOT_FOUND", "models/gemini-0 is not found for API version v1beta"), MODEL),
    Vector("gemini", 31, GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", quota("GenerateRequestsPerMinutePerProjectPerModel"), retry_in("34.5s")), LIMIT + " hint=34.5"),
    Vector("gemini", 36, GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), retry_in("50s")), DAILY + " hint=50"),
    Vector("gemini", 32, GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."), LIMIT),
    Vector("gemini", 38, GEMINI, 499, google(499, "CANCELLED", "The operation was cancelled."), "net_ambiguous counts"),
    Vector("gemini", 39, GEMINI, 500, google(500, "INTERNAL", "An internal error has occurred."), "server_error counts"),
    Vector("gemini", 41, GEMINI, 503, google(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), LOAD),
    Vector("gemini", 42, GEMINI, 504, google(504, "DEADLINE_EXCEEDED", "The request timed out."), "slow_start counts"),
    Vector("gemini", 39, GEMINI, 500, [google(500, "INTERNAL", "In a list.")], "server_error counts"),
    Vector("gemini", 41, GEMINI, 200, google(503, "UNAVAILABLE", "Inside a success."), LOAD),
)  # fmt: skip

ANYBODY = (
    Vector("nginx", 12, CHAT, 413, HTML.format("413 Request Entity Too Large"), "context_length"),
    Vector("nginx", 13, CHAT, 400, HTML.format("400 Bad Request"), "bad_request"),
    Vector("nginx", 40, GEMINI, 502, HTML.format("502 Bad Gateway"), "server_error counts"),
    Vector("cloudflare", 43, CHAT, 524, HTML.format("524: A timeout occurred"), "slow_start counts"),
    Vector("cloudflare", 43, MESSAGES, 522, HTML.format("522: Connection timed out"), "slow_start counts"),
    Vector("cloudflare", 43, CHAT, 530, HTML.format("530"), "slow_start counts"),
    Vector("cloudflare", 39, CHAT, 520, HTML.format("520"), "server_error counts"),
    Vector("anybody", 46, CHAT, 307, "", "malformed_output offer 600 counts alarm", {"location": "https://elsewhere.example/"}),
    Vector("anybody", 47, CHAT, 204, "", "malformed_output counts"),
    Vector("anybody", 47, CHAT, 101, "", "malformed_output counts"),
    Vector("anybody", 32, MESSAGES, 429, "", LIMIT),
    Vector("anybody", 13, CHAT, 418, openai("a teapot"), "bad_request explains"),
    Vector("anybody", 39, CHAT, 599, "", "server_error counts"),
    Vector("anybody", 38, CHAT, 499, "", "net_ambiguous counts"),
    Vector("anybody", 26, CHAT, 451, "", REGION),
    Vector("anybody", 40, CHAT, 502, "\x00\x01 not text", "server_error counts"),
)  # fmt: skip

# What users write is quoted in messages: no word of theirs may bench anything (M04).
QUOTED = tuple(
    Vector("a user", 13, dialect, 400, body, "bad_request explains")
    for said in ("why do I hit a rate limit", "insufficient_quota", "API key", "overloaded 503")
    for dialect, body in (
        (CHAT, openai(f"Invalid value: '{said}'", "invalid_request_error", "invalid_value")),
        (MESSAGES, anthropic("invalid_request_error", f"messages.0: unexpected '{said}'")),
        (GEMINI, google(400, "INVALID_ARGUMENT", f"Invalid value '{said}'")),
    )
)

VECTORS = OPENAI + COMPATIBLE + ANTHROPIC + GOOGLE + ANYBODY + QUOTED
