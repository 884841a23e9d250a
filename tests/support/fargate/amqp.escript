#!/usr/bin/env escript
%% publish QUEUE: makes a durable queue, and puts the persistent message $BODY there, which the broker confirms.
%% take QUEUE: prints its first message. The broker is at $URL.
-include_lib("amqp_client/include/amqp_client.hrl").

main([Action, Queue]) ->
    logger:set_primary_config(level, critical),
    %% By the URI's specification the path / is a virtual host without a name; the engine's library, which is Go's,
    %% takes it for the default one, as it does no path at all.
    {ok, Parameters} = amqp_uri:parse(string:trim(os:getenv("URL"), trailing, "/")),
    case amqp_connection:start(Parameters) of
        {ok, Connection} ->
            {ok, Channel} = amqp_connection:open_channel(Connection),
            act(Action, Channel, list_to_binary(Queue));
        {error, Reason} ->
            io:format(standard_error, "~p~n", [Reason]),
            halt(1)
    end.

act("publish", Channel, Queue) ->
    #'confirm.select_ok'{} = amqp_channel:call(Channel, #'confirm.select'{}),
    #'queue.declare_ok'{} = amqp_channel:call(Channel, #'queue.declare'{queue = Queue, durable = true}),
    Message = #amqp_msg{props = #'P_basic'{delivery_mode = 2}, payload = list_to_binary(os:getenv("BODY"))},
    amqp_channel:cast(Channel, #'basic.publish'{routing_key = Queue}, Message),
    true = amqp_channel:wait_for_confirms(Channel, 30);
act("take", Channel, Queue) ->
    case amqp_channel:call(Channel, #'basic.get'{queue = Queue, no_ack = true}) of
        {#'basic.get_ok'{}, #amqp_msg{payload = Body}} ->
            io:put_chars(Body);
        #'basic.get_empty'{} ->
            io:format(standard_error, "it is empty~n", []),
            halt(1)
    end.
