"""What Huawei Cloud is: endpoints, calls, actions, errors, signatures, tokens, policies.

Pure: no pytest, no vcr, no sockets.
"""
