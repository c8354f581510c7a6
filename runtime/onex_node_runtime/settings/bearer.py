# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Whose tokens are taken, and how they are checked."""

from pydantic import Field

from .node import NodeSettings
from .types import Algorithms, PathOrNone, Seconds, Skew, Text, Texts


class BearerSettings(NodeSettings):
    """Whose tokens are taken, and how they are checked."""

    service_auth_issuer: Text = Field(default="", description="Who issues the tokens of callers, as their `iss` says.")
    service_auth_audience: Texts = Field(
        default=(), description="Whom tokens are for: one of these is in `aud`; in the environment, a JSON list."
    )
    service_auth_jwks_url: Text = Field(default="", description="URL of the issuer's public keys (JWKS).")
    service_auth_algorithms: Algorithms = Field(
        default=("RS256", "ES256"), description="How tokens may be signed; in the environment, a JSON list."
    )
    service_auth_clock_skew_seconds: Skew = Field(default=30.0, description="How far the issuer's clock may be off.")
    service_auth_scopes_claim: Text = Field(default="scope", description="The claim that holds a caller's scopes.")
    service_auth_jwks_refresh_seconds: Seconds = Field(
        default=300.0, description="After which the issuer's keys are asked for again."
    )
    service_auth_jwks_max_age_seconds: Seconds = Field(
        default=3600.0, description="After which keys that could not be asked for again are no longer used."
    )
    service_auth_ca_file: PathOrNone = Field(
        default=None, description="Certificates that the issuer is trusted by; when unset, those of the system."
    )
