"""The gemini provider."""
