"""A tour of the plugin: one test a documented case, each written as a user would write it.

Run it with `pytest -p hwcloud --pyargs pytest_hwcloud.tour`. Everything is offline. To see a refusal explained, run one
under a policy that lost an action:

    pytest -p hwcloud --pyargs pytest_hwcloud.tour.test_permissions --hwcloud-policy PATH/tour/iam/lost-list.json
"""
