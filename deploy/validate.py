"""Checks documents against their schemas, for `cargo xtask deploy`.

    validate.py kubernetes SCHEMAS    what `kubectl kustomize` wrote, on standard input; kinds that Kubernetes does not have
                                      against SCHEMAS/KIND.json
    validate.py compose               a compose file, on standard input, against the schema of the Compose Specification

Writes JSON: {"documents": [...], "problems": ["WHAT: WHY", ...]}.
"""

import json
import sys
from importlib.resources import files
from pathlib import Path

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match


def of_schema(document, schema):
    """The most telling error, if there is one."""
    return best_match(Draft202012Validator(schema).iter_errors(document))


def of_kubernetes(document, schemas):
    """What is wrong about a document of Kubernetes or of an extension."""
    try:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as error:
        return error
    except kubernetes_validate.SchemaNotFoundError:
        schema = schemas / f"{document['kind'].lower()}.json"
        if not schema.exists():
            return f"{document['apiVersion']} has no schema: add {schema}"
        return of_schema(document, json.loads(schema.read_text()))
    return None


def line(what, error):
    """One line: where, and why."""
    if isinstance(error, str):
        return f"{what}: {error}"
    path = ".".join(str(part) for part in error.absolute_path)
    return f"{what}: {path}: " + error.message.replace("\n", " ")[:300]


def main(mode, *arguments):
    documents = [document for document in yaml.safe_load_all(sys.stdin) if document]
    if mode == "kubernetes":
        found = [(f"{d['kind']}/{d['metadata']['name']}", of_kubernetes(d, Path(arguments[0]))) for d in documents]
    else:
        schema = files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json"
        found = [("services", of_schema(document, json.loads(schema.read_text()))) for document in documents]
    problems = [line(what, error) for what, error in found if error is not None]
    json.dump({"documents": documents, "problems": problems}, sys.stdout)


main(*sys.argv[1:])
