"""A small program to record: somebody signs in, and queries are translated from one SQL to another.

The password comes from the environment. Nothing here knows that it is being recorded.
"""

import os

import sqlglot

QUERIES = [
    "SELECT name, DATE_FORMAT(placed, '%Y-%m') AS month FROM orders WHERE total > 100 LIMIT 10",
    "SELECT c.country, SUM(o.total) FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY 1",
    "SELECT IFNULL(phone, 'none') FROM customers WHERE name LIKE 'A%'",
    "SELECT name FROM orders WHERE (total > 100",
]


class Account:
    def __init__(self, user: str, password: str) -> None:
        self.user = user
        self.password = password


def sign_in(user: str, password: str) -> Account:
    return Account(user, password)


def translate(query: str, account: Account) -> str:
    return sqlglot.transpile(query, read="mysql", write="duckdb")[0]


def main() -> None:
    account = sign_in("ada", os.environ["DEMO_PASSWORD"])
    for query in QUERIES:
        try:
            print(translate(query, account))
        except sqlglot.ParseError as error:
            print(f"cannot translate: {str(error).splitlines()[0]}")


if __name__ == "__main__":
    main()
