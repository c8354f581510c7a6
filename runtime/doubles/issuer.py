# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""An issuer of tokens that tests have the private key of."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

KID = "key-of-tests"
_CURVES: dict[str, type[ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1]] = {
    "ES256": ec.SECP256R1,
    "ES384": ec.SECP384R1,
    "ES512": ec.SECP521R1,
}


class Issuer:
    """Signs tokens with one key.

    Attributes:
        algorithm: How.
        key: The private key.
    """

    def __init__(self, name: str, audience: str, algorithm: str = "ES256", claim: str = "scope") -> None:
        """Make a key.

        Args:
            name: The issuer, as tokens say it.
            audience: Whom tokens are for.
            algorithm: How they are signed: any that is asymmetric.
            claim: The claim that holds scopes.
        """
        self._claims = {"iss": name, "aud": audience, "sub": "caller-of-tests"}
        self._claim = claim
        self.algorithm = algorithm
        self.key: Any
        if algorithm in _CURVES:
            self.key = ec.generate_private_key(_CURVES[algorithm]())
        elif algorithm == "EdDSA":
            self.key = ed25519.Ed25519PrivateKey.generate()
        else:
            self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public(self) -> dict[str, Any]:
        """The public key as a JSON Web Key."""
        return {**json.loads(get_default_algorithms()[self.algorithm].to_jwk(self.key.public_key())), "kid": KID}

    @property
    def document(self) -> bytes:
        """What the issuer publishes."""
        return json.dumps({"keys": [self.public]}).encode()

    async def published(self, *_: object) -> bytes:
        """Return what the issuer publishes, in place of a request."""
        return self.document

    def claims(self, *scopes: str, **changed: Any) -> dict[str, Any]:
        """Return what a token says: good for an hour, with these scopes; what is changed to None is left out."""
        now = int(time.time())
        claims = {**self._claims, "iat": now, "exp": now + 3600, self._claim: " ".join(scopes), **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, *scopes: str, kid: str | None = KID, **changed: Any) -> str:
        """Return a token, with changed claims."""
        headers = {} if kid is None else {"kid": kid}
        return jwt.encode(self.claims(*scopes, **changed), self.key, self.algorithm, headers)


def _with_public_key(key: Any, claims: dict[str, Any]) -> str:
    """Return a token that is signed with what everybody knows, as the secret of an HMAC."""
    secret = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = (json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT", "kid": KID}, claims))
    signed = ".".join(map(_base64, parts))
    return f"{signed}.{_base64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def _base64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def bad_tokens(issuer: Issuer, *scopes: str) -> dict[str, str]:
    """Return tokens that nobody may take, by what is wrong with them."""
    other = Issuer("", "", issuer.algorithm)
    other.claims = issuer.claims  # type: ignore[method-assign]  # it says the same, and signs with its own key
    good = issuer.token(*scopes)
    head, body, signature = good.split(".")
    richer = jwt.encode(issuer.claims("everything"), other.key, other.algorithm).split(".")[1]
    return {
        "expired": issuer.token(*scopes, exp=int(time.time()) - 3600),
        "not yet": issuer.token(*scopes, nbf=int(time.time()) + 3600),
        "forever": issuer.token(*scopes, exp=None),
        "forged": other.token(*scopes),
        "changed": f"{head}.{richer}.{signature}",
        "unsigned": f"{head}.{body}.",
        "other issuer": issuer.token(*scopes, iss="https://elsewhere.example/"),
        "other audience": issuer.token(*scopes, aud="somebody else"),
        "no audience": issuer.token(*scopes, aud=None),
        "algorithm none": jwt.encode(issuer.claims(*scopes), "", "none", {"kid": KID}),
        "HMAC with the public key": _with_public_key(issuer.key.public_key(), issuer.claims(*scopes)),
        "unknown key": issuer.token(*scopes, kid="nobody's"),
        "no token": "word",
    }
