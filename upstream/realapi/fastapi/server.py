"""A FastAPI that signs in by a form for a signed token, as its documentation shows it.

ada may sign in, bob is disabled. Prints its port, then serves.
"""
import hashlib
import hmac
import socket
import time

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

KEY = "only for this test, and long enough for HS256"
LIFETIME = 30 * 60


def digest(password):
    return hashlib.scrypt(password.encode(), salt=b"salt", n=16, r=1, p=1)


PEOPLE = {
    "ada": {"username": "ada", "disabled": False, "digest": digest("a long password")},
    "bob": {"username": "bob", "disabled": True, "digest": digest("a long password")},
}

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


def refused(detail):
    return HTTPException(401, detail=detail, headers={"WWW-Authenticate": "Bearer"})


def person(token: str = Depends(bearer)):
    try:
        name = jwt.decode(token, KEY, algorithms=["HS256"]).get("sub")
    except jwt.InvalidTokenError:
        raise refused("Could not validate credentials")
    found = PEOPLE.get(name)
    if found is None:
        raise refused("Could not validate credentials")
    if found["disabled"]:
        raise HTTPException(400, detail="Inactive user")
    return found


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    found = PEOPLE.get(form.username)
    if found is None or not hmac.compare_digest(found["digest"], digest(form.password)):
        raise refused("Incorrect username or password")
    claims = {"sub": found["username"], "exp": int(time.time()) + LIFETIME}
    return {"access_token": jwt.encode(claims, KEY, algorithm="HS256"), "token_type": "bearer"}


@app.get("/users/me")
def me(found: dict = Depends(person)):
    return {"username": found["username"]}


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
