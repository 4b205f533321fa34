"""The value of a secret's name is hidden in every way in which people and programs write it."""

import pytest

from engine.redaction.hiding import hidden


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("host=db password=hunter2 user=x", "host=db password=*** user=x"),
        (r"password='it\'s' dbname=x", "password='***' dbname=x"),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        ("UID=me;PWD=hunter2;DB=x", "UID=me;PWD=***;DB=x"),
        ("{'password': 'hunter 2', 'a': 1}", "{'password': '***', 'a': 1}"),
        ('{"api_key": "hunter2"}', '{"api_key": "***"}'),
        ('{"pin":1234,"x":1}', '{"pin":***,"x":1}'),
        (r"{\"token\": \"hunter2\", \"a\": 1}", r"{\"token\": \"***\", \"a\": 1}"),
        ("{'secrets': ['a', 'b'], 'x': 1}", "{'secrets': ***, 'x': 1}"),
        ("b'password': b'hunter2'", "b'password': b'***'"),
        ("AWS_SECRET_ACCESS_KEY=hunt/er+2=", "AWS_SECRET_ACCESS_KEY=***"),
        ("error: password=hunter2", "error: password=***"),
        ("password=hun,ter2", "password=***"),
        (
            "at postgresql://db/x?sslpassword=hunter2&b=1",
            "at postgresql://db/x?sslpassword=***&b=1",
        ),
        ("GET /pay?otp=1234&amount=5", "GET /pay?otp=***&amount=5"),
        ("otp%3D1234", "otp%3D***"),
        ("password: correct horse battery, then", "password: ***, then"),
        ('Authorization: Digest username="a", response="b"', "Authorization: ***"),
        ("curl -H 'Authorization: Token abc' http://x", "curl -H 'Authorization: ***' http://x"),
        ("Set-Cookie: sid=abc; HttpOnly", "Set-Cookie: ***"),
        ("('Authorization', 'Token abc')", "('Authorization', '***')"),
        ("(b'authorization', b'Token abc')", "(b'authorization', b'***')"),
        ("psql --password hunter2 -x", "psql --password *** -x"),
        ("['psql', '--password', 'hunter2']", "['psql', '--password', '***']"),
        ("<ns:Password>hunter2</ns:Password>", "<ns:Password>***</ns:Password>"),
        ("Key (email, pin)=(x, hunter2) already exists.", "Key (email, pin)=(***) already exists."),
        ("ALTER ROLE me PASSWORD 'hunter2'", "ALTER ROLE me PASSWORD '***'"),
        ("IDENTIFIED BY 'hunter2'", "IDENTIFIED BY '***'"),
        ("Your OTP is 482913.", "Your OTP is ***."),
        ("the token is h2unter", "the token is ***"),
        (r"GET / HTTP/1.1\r\nAuthorization: Token abc", r"GET / HTTP/1.1\r\nAuthorization: ***"),
        (r"'a\ntoken: abc'", r"'a\ntoken: ***'"),
        (r"{\n\tpin=1234}", r"{\n\tpin=***}"),
        (r"DOMAIN\token=abc", r"DOMAIN\token=***"),
        ("invalid token c4bokK1X, again", "invalid token ***, again"),
        ("token 'c4bokK1X' expired", "token '***' expired"),
        ("the API key: abc and the OTP code: 12", "the API key: *** and the OTP code: ***"),
        ("رمز التحقق: 4821", "رمز التحقق: ***"),
        ('password="cut off', 'password="***'),
        ("login(user='x', passcode='''a\nb''')", "login(user='x', passcode='''***''')"),
    ],
)
def test_the_value_of_a_secrets_name_is_hidden(said: str, shown: str) -> None:
    assert hidden(said) == shown
    assert hidden(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        'password authentication failed for user "engine"',
        "tokens=5 token_count=3 secretary=Noura",
        "the password is wrong: try again",
        "password=None token=null secret='' pin=false",
        "password=${secret:bank} and ${secret:other}",
        "if token == x:",
        "unexpected token: }",
        "mapping: ok, shipping: 5, pipeline=done",
        "bearer token expired",
    ],
)
def test_a_text_about_secrets_is_left_as_it_is(text: str) -> None:
    assert hidden(text) == text
