"""A Django with REST framework, Simple JWT and its blacklist or the framework's own tokens.

ada may sign in, bob is disabled.
Prints its port, then serves one request after the other.
"""
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only for this test, and long enough for HS256",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework.authtoken",
        "rest_framework_simplejwt",
        "rest_framework_simplejwt.token_blacklist",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],  # fast; nothing here is secret
    USE_TZ=True,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework.authentication.TokenAuthentication"
            if sys.argv[1] == "token"
            else "rest_framework_simplejwt.authentication.JWTAuthentication"
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    },
    SIMPLE_JWT={
        "ROTATE_REFRESH_TOKENS": sys.argv[1] == "rotate",
        "BLACKLIST_AFTER_ROTATION": sys.argv[1] == "rotate",
    },
)
django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path
from rest_framework.authtoken.views import obtain_auth_token
from rest_framework.decorators import api_view
from rest_framework.response import Response
from rest_framework_simplejwt import views


@api_view(["GET"])
def me(request):
    return Response({"name": request.user.username})


@api_view(["POST"])
def logout(request):
    request.user.auth_token.delete()
    return Response(status=204)


obtain = obtain_auth_token if sys.argv[1] == "token" else views.TokenObtainPairView.as_view()
urlpatterns = [
    path("api/token/", obtain),
    path("api/logout/", logout),
    path("api/token/refresh/", views.TokenRefreshView.as_view()),
    path("api/token/blacklist/", views.TokenBlacklistView.as_view()),
    path("api/me/", me),
]


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


call_command("migrate", verbosity=0)
User.objects.create_user("ada", password="a long password")
User.objects.create_user("bob", password="a long password", is_active=False)
server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
