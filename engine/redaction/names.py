"""Names: which say that their value is a secret, and which that it is a number of ours."""

import re
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# PIN, apiKey, db-password, CVV2: a word is what a capital, a digit or a sign ends.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRETS = _words(
    "password passwords passwd pwd passphrase passphrases passcode passcodes secret secrets "
    "token tokens otp otps totp pin pins pincode cvv cvc csc credential credentials cookie "
    "cookies jwt bearer authtoken accesstoken refreshtoken apitoken clientsecret apikey "
    "secretkey accesskey privatekey authkey signingkey sessionid sessionkey"
)
# Secrets only where nothing follows: an authorization_id is the id of a payment.
_LAST = frozenset({"authorization", "authentication", "auth"})
# PGPASSWORD, sslpassword.
_ENDINGS = ("password", "passwd", "passphrase", "passcode", "pwd")
_KEYS = _words("api access private secret signing encryption master session auth ssh shared")
_HARMLESS_AFTER = _words(
    "count counts type length size limit limits expires expired expiry expiration at until "
    "ttl age attempts tries retries policy rules name names url uri endpoint file files path "
    "folder dir enabled required used valid set state status version index position method "
    "mode scheme"
)
_HARMLESS_BEFORE = _words(
    "max min num n total count used is has no with without needs requires sealed"
)
_IDENTIFIERS = _words(
    "wallet wallets entry entries id ids account accounts ledger run runs row rows ref "
    "reference references amount amounts balance balances sum total minor opening closing "
    "posting postings transfer transfers transaction transactions order orders invoice "
    "invoices batch seq sequence serial timestamp ts epoch"
)
_PERSONAL = _words(
    "phone phones mobile mobiles tel telephone msisdn national iqama nin citizen resident "
    "identity card cards pan passport iban call sms whatsapp"
)


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether what is called so is a secret: `cardPin`, `api-key`, `PGPASSWORD`; not `token_count`.

    The words of the name decide: in snake, kebab or camel case.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    return any(
        _is_secret(words, at)
        and _HARMLESS_AFTER.isdisjoint(words[at + 1 :])
        and _HARMLESS_BEFORE.isdisjoint(words[:at])
        for at in range(len(words))
    )


@lru_cache(maxsize=4096)
def is_identifier_name(name: str) -> bool:
    """Whether a number that is called so is the engine's own business: a wallet, an amount."""
    words = {word.lower() for word in _WORD.findall(name)}
    return not words.isdisjoint(_IDENTIFIERS) and words.isdisjoint(_PERSONAL)


def _is_secret(words: list[str], at: int) -> bool:
    word = words[at]
    before = words[at - 1] if at else ""
    last = at == len(words) - 1
    return (
        word in _SECRETS
        or word.endswith(_ENDINGS)
        or (last and word in _LAST)
        # `db_pass` is one; passes and `pass=12` of a test are not.
        or (last and word == "pass" and bool(before))
        or (word in ("key", "keys") and before in _KEYS)
        or (word == "id" and before == "session")
    )
