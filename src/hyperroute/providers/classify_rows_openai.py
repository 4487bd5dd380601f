"""What OpenAI's error codes mean, and those of the many hosts that speak its dialects.

Sources, read 2026-11-22: the ``ResponseError`` codes of openai-python 3.54; Azure OpenAI's pages on
content filtering and quotas; the error pages of DeepSeek, Groq, DashScope, OpenRouter, Moonshot; the
server code of vLLM and llama.cpp. DeepSeek puts ``invalid_request_error`` into ``code`` with any
status, so that word decides nothing here.
"""

from __future__ import annotations

from typing import Final

from hyperroute.providers import verdicts
from hyperroute.providers.classify_rows import Row

OPENAI_ROWS: Final = (
    # the request
    Row(code=("context_length_exceeded",), verdict=verdicts.CONTEXT_LENGTH),
    Row(type=("exceed_context_size_error",), verdict=verdicts.CONTEXT_LENGTH),  # llama.cpp
    Row(status=(400,), text="maximum context length is", verdict=verdicts.CONTEXT_LENGTH),
    Row(
        status=(400,), text="longer than the maximum model length", verdict=verdicts.CONTEXT_LENGTH
    ),
    Row(code=("invalid_encrypted_content",), verdict=verdicts.SEAL_REFUSED),
    Row(  # Azure says it without the code
        type=("invalid_request_error",),
        text="encrypted content",
        status=(400,),
        verdict=verdicts.SEAL_REFUSED,
    ),
    Row(
        code=("unsupported_parameter", "unknown_parameter", "unsupported_value"),
        verdict=verdicts.OUR_TRANSLATION,
    ),
    Row(
        code=(
            "content_filter",
            "content_policy_violation",
            "image_content_policy_violation",
            "moderation_blocked",
            "ResponsibleAIPolicyViolation",
            "data_inspection_failed",
            "DataInspectionFailed",
        ),
        verdict=verdicts.CONTENT_POLICY,
    ),
    Row(code=("invalid_prompt",), text="usage policy", verdict=verdicts.CONTENT_POLICY),
    Row(code=("invalid_prompt",), verdict=verdicts.BAD_REQUEST),
    Row(detail=("ResponsibleAIPolicyViolation",), verdict=verdicts.CONTENT_POLICY),
    Row(status=(403,), text="requires moderation", verdict=verdicts.CONTENT_POLICY),  # aggregator
    Row(
        code=(
            "invalid_image",
            "invalid_image_format",
            "invalid_base64_image",
            "invalid_image_url",
            "invalid_image_mode",
            "image_too_large",
            "image_too_small",
            "image_parse_error",
            "image_file_too_large",
            "image_file_not_found",
            "unsupported_image_media_type",
            "empty_image_file",
            "failed_to_download_image",
        ),
        verdict=verdicts.BAD_REQUEST,
    ),
    # our credentials and our money
    Row(
        code=(
            "invalid_api_key",
            "InvalidApiKey",
            "account_deactivated",
            "invalid_organization",
            "token_expired",
        ),
        verdict=verdicts.AUTH,
    ),
    Row(
        code=(
            "insufficient_quota",
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
            "billing_hard_limit_reached",
            "billing_not_active",
            "insufficient_credits",
            "insufficient_balance",
            "Arrearage",
        ),
        verdict=verdicts.FUNDS,
    ),
    Row(type=("insufficient_quota", "billing_error"), verdict=verdicts.FUNDS),
    Row(type=("exceeded_current_quota_error",), verdict=verdicts.FUNDS),  # Moonshot
    Row(
        code=("unsupported_country_region_territory",),
        verdict=verdicts.REGION,
    ),
    Row(
        code=(
            "model_not_found",
            "model_decommissioned",
            "model_not_active",
            "DeploymentNotFound",
            "ModelNotFound",
        ),
        verdict=verdicts.UNKNOWN_MODEL,
    ),
    # load
    Row(code=("rate_limit_exceeded",), text="requests per day", verdict=verdicts.DAILY_QUOTA),
    Row(code=("rate_limit_exceeded",), text="tokens per day", verdict=verdicts.DAILY_QUOTA),
    Row(code=("rate_limit_exceeded",), verdict=verdicts.RATE_LIMITED),
    Row(code=("slow_down",), verdict=verdicts.SLOW_DOWN),
    Row(status=(429,), text="high demand", verdict=verdicts.CAPACITY),  # Azure
    # Source: platform.moonshot.ai, errors of the chat API ("max organization concurrency").
    Row(status=(429,), text="concurrency", verdict=verdicts.AT_ONCE),
    Row(code=("NoCapacity",), verdict=verdicts.CAPACITY),  # Azure
    Row(
        code=("server_is_overloaded", "overloaded", "engine_overloaded"),
        verdict=verdicts.OVERLOADED,
    ),
    Row(type=("engine_overloaded_error", "overloaded_error"), verdict=verdicts.OVERLOADED),
    Row(
        code=("server_error", "internal_error", "internal_server_error", "vector_store_timeout"),
        bare=True,
        verdict=verdicts.SERVER_ERROR,
    ),
    # types speak where an error object came inside a 200, without a status
    Row(type=("rate_limit_error", "tokens", "requests"), verdict=verdicts.RATE_LIMITED),
    Row(type=("authentication_error",), verdict=verdicts.AUTH),
    Row(type=("permission_error",), verdict=verdicts.PERMISSION),
    Row(
        type=("server_error", "api_error", "internal_server_error"),
        bare=True,
        verdict=verdicts.SERVER_ERROR,
    ),
    Row(type=("invalid_request_error",), bare=True, verdict=verdicts.BAD_REQUEST),
)
