"""The policy of a recording: which filters there are, and what they decide together."""

from tamis._core import Policy
from tamis.policy.chain import LoadedPolicy, framework_of, load_policy
from tamis.policy.project import FILTER_FILES, find_project

__all__ = ["FILTER_FILES", "LoadedPolicy", "Policy", "find_project", "framework_of", "load_policy"]
