"""What builtin-default skips, and which names it redacts."""

import re
import tomllib

import pytest

from tamis.policy.chain import BUILTIN, builtin, load

KINDS = ["arg", "local", "global", "attr", "ret"]

SECRET = """
    password passwd PASSWORD Password _password __password passwords passwd2 password1 user_password
    userPassword DB_PASSWD DBPassword dbpassword passwordHash password_hash new-password pwd PWD
    user_pwd passphrase pass_phrase passcode PASSWORT pw db_pass smtp-pass pass apiKey api_key
    API_KEY apikey APIKey ApiKey X-Api-Key x_api_key api_keys apiKeys openai_api_key access_key
    aws_access_key_id AccessKeyId secretKey secret_key SECRET_KEY secrets client_secret api_secret
    appSecret private_key privateKey PRIVATE_KEY ssh_key signing_key encryptionKey masterKey
    hmac_key session_key token Token TOKEN _token token2 accessToken access_token refresh_token
    id_token authToken authtoken AUTH_TOKEN csrf_token csrftoken csrfmiddlewaretoken xsrf bearer
    bearer_token access_tokens token_value tokenHash jwt JWT OAuth2Token github_token auth _auth
    basic_auth auth_header authHeader Authorization authorization HTTP_AUTHORIZATION
    proxy-authorization cookie cookies Cookie set-cookie Set-Cookie session_cookie cookiejar
    session_id sessionid sessionId SessionID JSESSIONID PHPSESSID connect.sid sid otp totp mfa_code
    verification_code recovery_codes security_code pin pin_code PIN user_pin credentials credential
    creds user_credentials GOOGLE_CREDENTIALS dsn connection_string conn_str DATABASE_URL
    mongodb_uri redis_url seed_phrase recoveryPhrase code_verifier card_number cardNumber
    credit_card creditCardNumber cc_number cvv cvv2 CVC iban IBAN bank_account account_number
    routing_number ssn SSN social_security_number tax_id national_id passport_number drivers_license
""".split()  # noqa: SIM905

PLAIN = """
    author authors author_id company discard passed passing monkey tokenizer tokenize tokenizers
    keyboard cookiecutter secretary compass bypass compassion trespass surpass key keys sort_key
    primary_key public_key foreign_key cache_key keyword key_error hash hashes digest tokens
    token_count token_type max_tokens prompt_tokens n_tokens next_tokens TokenType first_pass
    render_pass pass_count pass_through passenger passive passport auth_enabled is_auth authority
    authentic author_name oauth pins pinned pinning spin spinner opinion pineapple session sessions
    session_factory side aside inside residue card cards cardinality discard_card_deck url uri
    database db_name connection conn string str mysql user username name email_subject basement
    accessor access signature sign design assign assigned salt account accounts bank encode decode
    decorator codes code zip_code country_code card_type cvs ciban essn tax taxes nation self cls
    args kwargs x i result value data text path file line
""".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def scope():
    return load([builtin("builtin-default")]).scope(["my_app.core"], "my_app/core.py", "f")


@pytest.mark.parametrize("kind", KINDS)
def test_names_of_secrets(scope, kind):
    """Names that hold the word for a secret are redacted, as values of every kind, in every spelling."""
    names = [name for name in SECRET if kind != "ret" or "." not in name]
    assert [name for name in names if scope.value([kind], [name])[::2] != ("redact", True)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_names_that_only_look_like_secrets(scope, kind):
    """Names are compared by word: what merely holds the letters of one is captured."""
    assert [name for name in PLAIN if scope.value([kind], [name])[0] != "allow"] == []


def test_a_callable_is_judged_by_its_own_name(scope):
    """A module or class named after secrets does not cover everything that it returns."""
    assert scope.value(["ret"], ["my_app.password.check", "check"])[0] == "allow"
    assert scope.value(["ret"], ["my_app.users.get_password", "get_password"])[0] == "redact"


def test_keys_may_be_any_text(scope):
    """A mapping key of several lines is judged like any other."""
    assert scope.attr("a\npassword\nb")[0] == "redact"
    assert scope.attr("a\nb") is None


def test_the_five_patterns_say_the_same():
    """What is secret as an argument is secret as a local, a global, an attribute and a return value."""
    with open(builtin("builtin-default").path, "rb") as file:
        patterns = [p for r in tomllib.load(file)["scope"]["rules"] for p in r.get("value_patterns", ())]
    words = {}
    for pattern in patterns:
        kind, match, regex = pattern["selector"].split(":", 2)
        assert match == "regex"
        words[kind] = regex.replace("[^.]*", ".*")
        assert re.fullmatch(regex, "user_password")
    assert sorted(words) == sorted(KINDS)
    assert len(set(words.values())) == 1


def test_no_rule_traces():
    """A project's `default_exec = "skip"` skips third-party packages too, so no built-in rule may trace."""
    for name in BUILTIN:
        chain = load([builtin(n) for n in dict.fromkeys(["builtin-default", name])])
        assert {rule["exec"] for rule in chain.describe()["rules"]} <= {"skip", "inherit"}


@pytest.mark.parametrize(
    ("modules", "file", "origin", "trace"),
    [
        (["json.decoder"], "/usr/lib/python3/json/decoder.py", "stdlib", False),
        (["my_app"], "my_app/__init__.py", "project", True),
        (["requests.api"], "/venv/site-packages/requests/api.py", "third-party", True),
        (["_virtualenv"], "/venv/site-packages/_virtualenv.py", "third-party", False),
        (
            ["_distutils_hack.override"],
            "/venv/site-packages/_distutils_hack/override.py",
            "third-party",
            False,
        ),
        (["importlib._bootstrap"], "<frozen importlib._bootstrap>", "stdlib", False),
        (["asyncio.tasks"], "asyncio/tasks.py", "project", False),
        (["asyncio_extras"], "asyncio_extras.py", "project", True),
    ],
)
def test_what_is_skipped(modules, file, origin, trace):
    """The standard library, the machinery of concurrency and imports, and start-up code are skipped."""
    chain = load([builtin("builtin-default")])
    assert chain.scope(modules, file, "f", origin=origin).trace == trace


def test_test_frameworks_are_skipped():
    """The framework filter skips the runner, not the tests."""
    chain = load([builtin("builtin-default"), builtin("pytest")])
    for module, trace in [
        ("_pytest.main", False),
        ("pluggy", False),
        ("pytest_cov.plugin", False),
        ("_pytest_helper", False),
        ("_hypothesis_pytestplugin", False),
        ("hypothesis.strategies", False),
        ("pygments.lexer", False),
        ("py", False),
        ("tests.test_x", True),
        ("py_app", True),
        ("pytester", True),
        ("hypotheses", True),
    ]:
        assert chain.scope([module], "x.py", "f", origin="third-party").trace == trace
